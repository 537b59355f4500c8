# SPDX-License-Identifier: BSD-2-Clause
"""sluice-policyd as a real Postfix asks it: what the client is told, what is counted, what is logged."""

import concurrent.futures
import signal

import pytest
from support import policy, smtp, wait

DOMAIN = "example.test"
ALICE = f"alice@{DOMAIN}"
LIMITS = """
limit daily { subject = user count = messages max = 1000 per = 24h near = 0% }
limit rcpts { subject = user count = recipients max = 5000 per = 24h near = 0% }
limit fanout { count = recipients max = 40 per = message }
"""
# What Postfix says when the service has not answered as it should.
PROBLEMS = ("problem talking to server", "premature end-of-input", "Server configuration problem", "unexpected attribute")


@pytest.fixture
def make_site(site):
    """A site with the policy daemon alone; its recipient domains exist."""

    def start(sections=LIMITS, **options):
        started = site(sections=sections, parts=["sluice-policyd"], **options)
        started.policyd.log.wait(event="started")
        return started

    return start


def service(site, **options):
    words = "".join(f", {name}={value}" for name, value in options.items())
    return f"check_policy_service {{ unix:{site}/policy.sock, timeout=100s{words} }}"


def assert_no_trouble(site):
    text = site.mta.log_text()
    assert not [problem for problem in PROBLEMS if problem in text], text
    assert not site.policyd.log.events(event="policy-error")


def used(site, user=ALICE):
    """What the last charge left as used of the limit nearest to its maximum."""
    events = site.policyd.log.events(event="message", user=user, verdict="accept")
    return max((int(event["used"].split("/")[0]) for event in events), default=0)


def test_an_ordinary_message(make_site):
    site = make_site()
    outcome = site.send("alice", ["bob@example.net"], subject="ordinary")
    assert outcome.accepted, outcome
    site.sink.wait_subject("ordinary")
    event = site.policyd.log.wait(event="message", queue_id=outcome.queue_id)
    assert (event["verdict"], event["user"], event["from"]) == ("accept", ALICE, ALICE)
    assert (event["nrcpt"], event["dir"], event["used"]) == ("1", "out", "1/1000")
    # Postfix counts the octets that it wrote to the queue.
    assert int(event["size"]) > 100
    assert len(site.policyd.log.events(event="message")) == 1
    assert_no_trouble(site)


def test_many_messages_over_one_connection(make_site):
    site = make_site()
    with site.client("alice") as client:
        for number in range(1, 21):
            outcome = client.send(ALICE, ["bob@example.net"])
            assert outcome.accepted
            if number % 4 == 0:
                # Begun and given up: costs nothing.
                assert client.command("MAIL", f"FROM:<{ALICE}>").ok
                assert client.command("RCPT", "TO:<bob@example.net>").ok
                assert client.command("RSET").ok
    assert used(site) == 20
    assert len(site.policyd.log.events(event="message")) == 20
    assert_no_trouble(site)


def test_refused_recipients_are_not_counted(make_site, folder):
    """By us (before Postfix' own restrictions) and by Postfix after us."""
    table = folder / "refused"
    table.write_text("full@example.net 452 4.2.2 full\n")
    settings = {
        "smtpd_recipient_restrictions": f"{service(folder)}, check_recipient_access texthash:{table}",
        "smtpd_end_of_data_restrictions": service(folder),
    }
    site = make_site(
        "limit rcpts { subject = user count = recipients max = 100 per = 24h near = 0% }", settings=settings
    )
    recipients = [f"r{number}@example.net" for number in range(28)]
    refused = {"nobody@no-such-domain.test": 550, "full@example.net": 452, "x@nullmx.test": 556}
    outcome = site.send("alice", [*recipients[:10], *refused, *recipients[10:]])
    assert outcome.accepted
    assert {name: outcome.rcpt[name].code for name in refused} == refused
    assert all(outcome.rcpt[name].ok for name in recipients)
    event = site.policyd.log.wait(event="message", queue_id=outcome.queue_id, verdict="accept")
    assert (event["nrcpt"], event["used"]) == ("28", "28/100")
    causes = {each["cause"] for each in site.policyd.log.events(event="cause", action="reject")}
    assert causes == {"dns.recipient-domain", "dns.recipient-no-mail"}
    assert_no_trouble(site)


def test_over_the_limit(make_site):
    site = make_site(
        "limit burst { subject = user count = messages max = 3 per = 1h }",
        options={"contact": '"help@example.test"'},
    )
    outcomes = [site.send("alice", ["bob@example.net"]) for _ in range(5)]
    assert [outcome.accepted for outcome in outcomes] == [True] * 3 + [False] * 2
    reply = outcomes[-1].rcpt["bob@example.net"]
    assert reply.code == 450 and reply.text.startswith("4.7.28 ") and reply.text.endswith("[limit.messages]")
    assert "3" in reply.text and "help@example.test" in reply.text
    assert site.send("bob", ["alice@example.net"]).accepted
    assert_no_trouble(site)


def test_the_size_is_known_at_the_end(make_site):
    site = make_site(LIMITS, options={"max-message-size": "10K"})
    outcome = site.send("alice", ["bob@example.net"], body="x" * 70 + "\n" + ("y" * 70 + "\n") * 300)
    assert outcome.refusal.code == 552 and "[content.size]" in outcome.refusal.text
    assert site.send("alice", ["bob@example.net"]).accepted
    assert used(site) == 1
    assert_no_trouble(site)


def test_data_and_end_of_message_together(make_site, folder):
    settings = {"smtpd_data_restrictions": service(folder)}
    site = make_site(LIMITS, settings=settings, options={"max-message-size": "10K"})
    assert site.send("alice", ["bob@example.net", "carol@example.net"]).accepted
    big = site.send("alice", ["bob@example.net"], body=("y" * 70 + "\n") * 300)
    assert big.refusal.code == 552
    assert site.send("alice", ["bob@example.net"]).accepted
    # The second was charged at DATA and given back at its end.
    assert used(site) == 2
    accepted = site.policyd.log.events(event="message", verdict="accept")
    assert len(accepted) == 3
    assert_no_trouble(site)


@pytest.mark.parametrize("stage", ["data", "end_of_data"])
def test_asked_at_one_stage_only(make_site, folder, stage):
    settings = {"smtpd_recipient_restrictions": "permit", "smtpd_end_of_data_restrictions": ""}
    settings[f"smtpd_{stage}_restrictions"] = service(folder)
    site = make_site("limit rcpts { subject = user count = recipients max = 7 per = 24h near = 0% }", settings=settings)
    assert site.send("alice", ["a@example.net", "b@example.net", "c@example.net"]).accepted
    assert used(site) == 3
    assert site.send("alice", ["a@example.net"]).accepted
    assert used(site) == 4
    refused = site.send("alice", ["a@example.net", "b@example.net", "c@example.net", "d@example.net"])
    assert refused.data.code == 450 and "[limit.recipients]" in refused.data.text
    assert site.send("alice", ["a@example.net", "b@example.net", "c@example.net"]).accepted
    assert used(site) == 7
    assert_no_trouble(site)


def test_charge_at_rcpt(make_site, folder):
    settings = {"smtpd_end_of_data_restrictions": ""}
    site = make_site(
        "limit daily { subject = user count = messages max = 3 per = 24h near = 0% }\n",
        options={"charge-at": "rcpt"},
        settings=settings,
    )
    with site.client("alice") as client:
        for _ in range(3):
            assert client.send(ALICE, ["a@example.net", "b@example.net"]).accepted
        assert client.send(ALICE, ["a@example.net"]).refusal.code == 450
    assert used(site) == 3
    assert_no_trouble(site)


def test_asked_in_two_lists(make_site, folder):
    settings = {"smtpd_sender_restrictions": service(folder), "smtpd_client_restrictions": service(folder)}
    site = make_site("limit rcpts { subject = user count = recipients max = 100 per = 24h near = 0% }", settings=settings)
    assert site.send("alice", ["a@example.net", "b@example.net"]).accepted
    assert used(site) == 2
    assert len(site.policyd.log.events(event="message")) == 1
    assert_no_trouble(site)


def test_checks_before_the_recipient(make_site, folder):
    """Without smtpd_delay_reject Postfix asks at CONNECT, EHLO and MAIL, each as its own state."""
    settings = {
        "smtpd_delay_reject": "no",
        "smtpd_client_restrictions": service(folder),
        "smtpd_helo_restrictions": service(folder),
        "smtpd_sender_restrictions": service(folder),
    }
    site = make_site(LIMITS, settings=settings)
    assert site.send("alice", ["a@example.net"]).accepted
    outcome = site.send("alice", ["a@example.net"], sender=f"bob@{DOMAIN}")
    assert outcome.mail.code == 553 and "[account.sender-mismatch]" in outcome.mail.text
    assert used(site) == 1
    assert_no_trouble(site)


def test_hold(make_site):
    site = make_site("cause account.sender-mismatch { action = hold }\n")
    outcome = site.send("alice", ["a@example.net"], sender=f"bob@{DOMAIN}")
    assert outcome.accepted
    held = wait.poll(site.mta.queued, what="a message in the queue")
    assert [each["queue_name"] for each in held] == ["hold"]
    assert site.policyd.log.wait(event="message", queue_id=outcome.queue_id)["verdict"] == "hold"
    assert_no_trouble(site)


def test_warn(make_site):
    site = make_site("cause account.sender-mismatch { action = warn }\n")
    outcome = site.send("alice", ["a@example.net", "b@example.net"], sender=f"bob@{DOMAIN}", subject="warned")
    assert outcome.accepted
    headers = site.sink.wait_subject("warned").message.get_all("X-Sluice-Warning")
    assert len(headers) == 1 and headers[0].startswith("[account.sender-mismatch] ")
    assert_no_trouble(site)


def test_a_bounce_is_never_refused(make_site):
    site = make_site("limit all { subject = client count = messages max = 1 per = 24h }\n")
    for _ in range(3):
        assert smtp.send(site.mta.smtp_port, "", [f"alice@{DOMAIN}"]).accepted
    assert_no_trouble(site)


def test_observe_says_what_it_would_do(make_site):
    site = make_site("limit daily { subject = user count = messages max = 1 per = 24h }\n", options={"mode": "observe"})
    for _ in range(2):
        outcome = site.send("alice", ["a@example.net"])
        assert outcome.accepted
    event = site.policyd.log.wait(event="cause", queue_id=outcome.queue_id, cause="limit.messages")
    assert (event["action"], event["would"]) == ("log", "defer")
    assert site.policyd.log.wait(event="message", queue_id=outcome.queue_id)["would"] == "defer"


def test_addresses_as_postfix_writes_them(make_site):
    """Quoted local parts have no quotes in the protocol, and UTF-8 stays."""
    site = make_site("cause account.sender-mismatch { action = ignore }\n" + LIMITS)
    with site.client("alice") as client:
        for sender in ('"a b"@example.test', "a=b@example.test", '"a\\"b"@example.test'):
            outcome = client.send(sender, ['"very odd"@example.net', "=@example.net"])
            assert outcome.accepted, outcome
    assert used(site) == 3
    assert len(site.policyd.log.events(event="message", verdict="accept")) == 3
    assert_no_trouble(site)


def test_postfix_without_the_service(make_site, folder):
    """With default_action=DUNNO mail goes on, uncounted; the service is used again when it is back."""
    listed = service(folder, default_action="DUNNO")
    settings = {"smtpd_recipient_restrictions": listed, "smtpd_end_of_data_restrictions": listed}
    site = make_site(LIMITS, settings=settings)
    with site.client("alice") as client:
        assert client.send(ALICE, ["a@example.net"]).accepted
        site.policyd.stop()
        assert client.send(ALICE, ["a@example.net"]).accepted
        site.policyd.start()
        assert client.send(ALICE, ["a@example.net"]).accepted
    assert used(site) == 2


def test_a_restart_between_rcpt_and_data(make_site):
    """The new process knows nothing of the recipients, but Postfix says how many there are."""
    site = make_site("limit rcpts { subject = user count = recipients max = 100 per = 24h near = 0% }")
    with site.client("alice") as client:
        assert client.command("MAIL", f"FROM:<{ALICE}>").ok
        for name in "abc":
            assert client.command("RCPT", f"TO:<{name}@example.net>").ok
        site.policyd.stop()
        site.policyd.start()
        code, _ = client._smtp.data(b"Subject: x\r\n\r\nx\r\n")
        assert code == 250
    assert used(site) == 3


def test_many_at_once_and_a_reload(make_site):
    """200 messages of four users over eight connections while the daemon reloads: counted exactly, each logged once."""
    users = {name: f"{name}'s password" for name in ("u0", "u1", "u2", "u3")}
    site = make_site("limit daily { subject = user count = messages max = 1000 per = 24h near = 0% }", users=users)

    def work(number):
        accepted = []
        user = f"u{number % 4}"
        with site.client(user) as client:
            for message in range(25):
                recipients = [f"r{i}@example.net" for i in range(30 if message % 10 == 0 else 1)]
                outcome = client.send(f"{user}@{DOMAIN}", [*recipients, "x@nullmx.test"])
                accepted.append((user, outcome.queue_id))
                if number == 0 and message % 5 == 0:
                    site.policyd.signal(signal.SIGHUP)
        return accepted

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        accepted = [each for part in pool.map(work, range(8)) for each in part]
    assert len({queue_id for _, queue_id in accepted}) == 200
    for number in range(4):
        assert used(site, f"u{number}@{DOMAIN}") == 50
    events = site.policyd.log.events(event="message", verdict="accept")
    assert sorted(event["queue_id"] for event in events) == sorted(queue_id for _, queue_id in accepted)
    assert sum(int(event["nrcpt"]) for event in events) == 8 * (3 * 30 + 22)
    assert_no_trouble(site)


def test_the_daemon_and_a_slow_client_do_not_wait_for_each_other(make_site):
    site = make_site()
    with policy.Client(site.policy_socket) as slow:
        slow.send(b"request=smtpd_access_policy\nsender=")
        assert site.send("alice", ["a@example.net"]).accepted
