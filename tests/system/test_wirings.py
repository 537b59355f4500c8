# SPDX-License-Identifier: BSD-2-Clause
"""However Postfix asks the daemons, each message that it accepts is counted, once."""

import dataclasses
import re

import pytest

from support import counting, site as site_module, sluice, smtp, wait
from support.counting import SENDER

DOMAIN = site_module.DOMAIN
LIMITS = """
limit daily { subject = user  count = messages  max = 1000  per = 24h  near = 0 }
limit rcpts { subject = user  count = recipients  max = 1000  per = 24h  near = 0 }
limit outside { subject = user  count = external-recipients  max = 1000  per = 24h  near = 0 }
limit bytes { subject = user  count = bytes  max = 1G  per = 24h  near = 0 }
"""
POLICY, MILTER = sluice.DAEMONS
RCPT, DATA, END = "recipient", "data", "end_of_data"
BODY = "x" * 70 + "\n"


@dataclasses.dataclass
class Wiring:
    """Which daemons run, and in which lists Postfix asks the policy service."""

    parts: tuple = sluice.DAEMONS
    stages: tuple = (RCPT, END)
    options: dict = dataclasses.field(default_factory=dict)
    # What cannot be known: at RCPT and DATA the size is the client's claim, and without RCPT nobody
    # sees which of several recipients are ours.
    knows_size: bool = True
    knows_recipients: bool = True


WIRINGS = {
    "both": Wiring(),
    "both-at-every-stage": Wiring(stages=(RCPT, DATA, END)),
    "both-at-data": Wiring(stages=(DATA,), knows_recipients=False),
    "policy": Wiring(parts=(POLICY,)),
    "policy-at-data": Wiring(parts=(POLICY,), stages=(RCPT, DATA), knows_size=False),
    "policy-at-data-only": Wiring((POLICY,), (DATA,), knows_size=False, knows_recipients=False),
    "policy-at-the-end-only": Wiring((POLICY,), (END,), knows_recipients=False),
    "milter": Wiring(parts=(MILTER,), stages=()),
    "milter-that-observes": Wiring((MILTER,), (), {"mode": "observe"}),
    "policy-at-rcpt": Wiring((POLICY,), (RCPT,), {"charge-at": "rcpt"}, knows_size=False),
}


def lists(folder, stages):
    """The restriction lists of main.cf; all that are not named are empty."""
    where = f"unix:{folder}/policy.sock, timeout=100s, default_action=defer"
    service = f"check_policy_service {{ {where} }}"
    return {
        f"smtpd_{stage}_restrictions": service if stage in stages else ""
        for stage in (RCPT, DATA, END)
    }


@pytest.mark.parametrize("name", WIRINGS)
def test_each_message_counts_once(site, folder, name):
    wiring = WIRINGS[name]
    place = site(
        parts=wiring.parts,
        sections=LIMITS,
        options=wiring.options,
        settings=lists(folder, wiring.stages),
    )
    sent = []
    with place.client("alice") as client:
        for number in range(6):
            recipients = [f"r{n}@example.net" for n in range(number)] + [f"bob@{DOMAIN}"]
            sent.append(client.send(SENDER, recipients, body=BODY * number))
            client.command("MAIL", f"FROM:<{SENDER}>")
            client.command("RSET")
        # A recipient that Postfix itself refuses, and a message that is given up.
        sent.append(client.send(SENDER, ["bob@example.net", "no@domain@here", "c@example.net"]))
        assert client.command("MAIL", f"FROM:<{SENDER}>").ok
        if "policy-at-rcpt" != name:
            assert client.command("RCPT", "TO:<gone@example.net>").ok
        client.command("RSET")
    assert all(outcome.accepted for outcome in sent), sent
    taken = [[each for each, reply in one.rcpt.items() if reply.ok] for one in sent]
    want = {"daily": 7, "rcpts": sum(map(len, taken))}
    if wiring.knows_recipients:
        want["outside"] = sum(not each.endswith(DOMAIN) for one in taken for each in one)
    used = wait.poll(
        lambda: (lambda found: found["daily"] >= 7 and found)(counting.used(place)),
        what="all of it counted",
    )
    assert {limit: used[limit] for limit in want} == want
    if wiring.knows_size:
        sizes = [int(size) for size in re.findall(r" size=(\d+), nrcpt", place.mta.log_text())]
        # The policy daemon is told what Postfix will store, the milter sees what was sent.
        assert len(sizes) == 7 and abs(used["bytes"] - sum(sizes)) < 7 * 600
        assert used["bytes"] > 15 * len(BODY)


def test_the_second_daemon_hears_what_the_first_was_told(site):
    """Charged by the policy daemon at the end of the message, known to the milter after it."""
    place = site(sections=LIMITS)
    outcome = place.send("alice", ["bob@example.net"])
    lines = [
        daemon.log.wait(event="message", queue_id=outcome.queue_id)
        for daemon in (place.policyd, place.milter)
    ]
    assert lines[0]["trace"] == lines[1]["trace"]
    assert counting.used(place)["daily"] == 1


def test_what_the_milter_refuses_is_given_back(site):
    """The policy daemon has charged it by then."""
    place = site(sections=LIMITS)
    data = smtp.message(f"bob@{DOMAIN}", ["bob@example.net"])
    for _ in range(3):
        assert not place.send("alice", ["bob@example.net"], data=data).accepted
    refused = place.policyd.log.events(event="message", stage="end-of-message")
    assert [line["verdict"] for line in refused] == ["accept"] * 3
    wait.poll(lambda: counting.used(place)["daily"] == 0, what="all given back")
    assert place.send("alice", ["bob@example.net"]).accepted
    assert counting.used(place)["daily"] == 1
