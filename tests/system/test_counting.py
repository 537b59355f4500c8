# SPDX-License-Identifier: BSD-2-Clause
"""The counters are what Postfix accepted: both daemons wired to it, many clients at once, Redis dying in between."""

import collections
import concurrent.futures
import json
import random
import re

from support import proof
from support import site as site_module
from support import smtp, wait

DOMAIN = site_module.DOMAIN
USERS = [f"user{n:02d}" for n in range(20)]
MESSAGES = 1000
CONNECTIONS = 8
LIMITS = """
limit daily { subject = user count = messages max = 45 per = 24h near = 0 }
limit rcpts { subject = user count = recipients max = 400 per = 24h near = 0 }
limit site  { subject = sender-domain count = recipients max = 1000000 per = 24h near = 0 }
"""


def plan(seed):
    """(user, sender, recipients) of each message: some with 30 recipients, some that have to be refused."""
    chance = random.Random(seed)
    messages = []
    for _ in range(MESSAGES):
        user = chance.choice(USERS)
        sender = f"{user}@{DOMAIN}"
        count = 30 if chance.random() < 0.1 else chance.randint(1, 3)
        recipients = [f"r{n}@example.net" for n in range(count)]
        if chance.random() < 0.1:
            recipients.insert(chance.randrange(count + 1), "gone@no-such.invalid")
        header = f"other@{DOMAIN}" if chance.random() < 0.1 else sender
        messages.append((user, sender, recipients, header))
    return messages


def send_all(site, messages, after_each):
    """Over a few parallel connections that many users share, as a web mailer's do; returns what was accepted."""
    parts = [messages[n::CONNECTIONS] for n in range(CONNECTIONS)]

    def send_part(part):
        accepted = []
        with smtp.Client(site.mta.smtp_port, tls=True) as client:
            for user, sender, recipients, header in part:
                client.pose(LOGIN=sender)
                data = smtp.message(header, recipients, body="x\n")
                outcome = client.send(sender, recipients, data)
                taken = sum(reply.ok for reply in outcome.rcpt.values())
                if outcome.accepted:
                    accepted.append((user, taken))
                after_each()
        return accepted

    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        return [message for part in pool.map(send_part, parts) for message in part]


def used(site, subject):
    """{limit name: used} as sluicectl says it."""
    table = json.loads(site.ctl.run("limits", "--json", subject).stdout)
    return {row["limit"]: row["used"] for row in table["limits"]}


def truth(accepted):
    counts = collections.defaultdict(lambda: {"daily": 0, "rcpts": 0})
    for user, taken in accepted:
        counts[user]["daily"] += 1
        counts[user]["rcpts"] += taken
    return counts


def postfix_accepted(site):
    """What Postfix itself says: queue id and number of recipients of all that it put into the active queue."""
    return {
        match["id"]: int(match["nrcpt"])
        for match in re.finditer(
            r"postfix\S*/qmgr\[\d+\]: (?P<id>\w+): from=<\S*>, size=\d+, nrcpt=(?P<nrcpt>\d+)", site.mta.log_text()
        )
    }


def check_counters(site, accepted):
    queue = wait.poll(
        lambda: (lambda found: found if len(found) == len(accepted) else None)(postfix_accepted(site)),
        what=f"{len(accepted)} messages in Postfix' log",
    )
    assert sum(queue.values()) == sum(taken for _, taken in accepted)
    counts = truth(accepted)
    for user in USERS:
        want = (counts[user]["daily"], counts[user]["rcpts"])

        def is_right(user=user, want=want):
            seen = used(site, f"{user}@{DOMAIN}")
            return (seen["daily"], seen["rcpts"]) == want

        told = lambda user=user: str(used(site, f"{user}@{DOMAIN}"))  # noqa: E731
        wait.poll(is_right, what=f"{want} of {user}", on_timeout=told)
    assert used(site, f"sender-domain:{DOMAIN}")["site"] == sum(taken for _, taken in accepted)


def start(site):
    return site(
        sections=LIMITS,
        durable=True,
        options={"store-timeout": "5s"},
        # For XCLIENT logins on the plain port: the test's users share connections.
        settings={"smtpd_sasl_auth_enable": "yes"},
    )


def test_counters_equal_what_postfix_accepted(site):
    site = start(site)
    accepted = send_all(site, plan(1), lambda: None)
    refused = MESSAGES - len(accepted)
    assert refused > 100, "the plan has to be hard enough"
    check_counters(site, accepted)
    assert max(counts["daily"] for counts in truth(accepted).values()) == 45


@proof.provokes("self.store-down")
def test_counters_survive_a_redis_that_is_killed(site):
    """Killed after a third, started again after two thirds: what was charged meanwhile is replayed."""
    site = start(site)
    done = iter(range(1, MESSAGES + 1))

    def after_each():
        count = next(done)
        if count == MESSAGES // 3:
            site.redis.kill()
        elif count == 2 * MESSAGES // 3:
            site.redis.start()

    accepted = send_all(site, plan(2), after_each)
    for daemon in (site.policyd, site.milter):
        daemon.log.wait(event="cause", cause="self.store-down", state="down")
        back = daemon.log.wait(event="cause", cause="self.store-down", state="up")
        assert back["lost"] == "0"
        assert len(daemon.log.events(event="cause", cause="self.store-down")) == 2
    check_counters(site, accepted)
