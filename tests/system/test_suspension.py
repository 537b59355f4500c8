# SPDX-License-Identifier: BSD-2-Clause
"""Suspended accounts: by an operator and by a cause, on every host and in both daemons, until it is
lifted.
"""

import json

import pytest

from support import counting, logfile, milter, policy, proof, sluice, wait
from support.counting import Charger, MilterCharger
from support.feedback import MailLog

SECTIONS = """
limit daily { subject = user  count = messages  max = 1000  per = 24h  near = 0 }
cause dns.recipient-domain { suspend = 12h after 3 in 10m }
cause content.size { mode = observe suspend = 1h }
"""
GONE = "somebody@no-such.invalid"
RECIPIENT = "bob@example.net"


def login(name):
    return f"{name}@example.test"


@pytest.fixture(scope="module")
def place(module_site):
    return module_site(sections=SECTIONS, options={"contact": '"help@example.test"'})


@pytest.fixture
def by_hand(place):
    """sluicectl, whose log goes to a file of its own: (run, log)."""
    log = logfile.LogFile(place.folder / "sluicectl.log")
    log.mark()
    return lambda *words, **how: place.ctl.run("-o", f"log=file:{log.path}", *words, **how), log


def at_rcpt(place, user):
    """The policy daemon's and the milter's words at the first recipient."""
    with policy.Client(place.policy_socket) as client:
        asked = client.ask(protocol_state="RCPT", sasl_username=user, sender=user,
                           recipient=RECIPIENT)
    with milter.Client(place.milter_socket) as mta:
        mta.connect()
        mta.mail(user, login=user)
        reply = mta.rcpt(RECIPIENT, "Q1")
    return asked, reply


@proof.provokes("account.suspended")
@proof.near_miss("account.suspended")
def test_suspended_by_hand(place, by_hand):
    run, log = by_hand
    assert place.send("alice", [RECIPIENT]).accepted
    done = run("suspend", login("alice"), "--reason", "abuse", "--until", "3d", "--note",
               "ticket 17, \"spam\"")
    assert "may not send until" in done.stdout
    outcome = place.send("alice", [RECIPIENT])
    refusal = str(outcome.refusal)
    assert refusal.startswith("550 5.7.13 ")
    assert "until 2" in refusal and "abuse" in refusal and "help@example.test" in refusal
    assert refusal.endswith("[account.suspended]")
    assert "ticket" not in refusal
    line = place.policyd.log.wait(event="cause", cause="account.suspended", user=login("alice"))
    assert (line["action"], line["reason"], line["note"]) == ("reject", "abuse", 'ticket 17, "spam"')
    assert f"sluicectl unsuspend {login('alice')}" in line["hint"]
    for said in at_rcpt(place, login("alice")):
        assert "550" in str(said) and "5.7.13" in str(said)
    place.milter.log.wait(event="cause", cause="account.suspended", user=login("alice"))
    # Another one, a subaddress of hers that is the same account, and a bounce.
    assert place.send("bob", [RECIPIENT]).accepted
    assert "5.7.13" in at_rcpt(place, "alice+news@example.test")[0]
    who = log.wait(event="suspend", user=login("alice"))
    assert who["by"].endswith("@mx.example.test") and who["reason"] == "abuse"
    listed = json.loads(run("suspended", "--json").stdout)
    assert [(row["user"], row["reason"]) for row in listed] == [(login("alice"), "abuse")]
    assert run("suspended", login("alice")).returncode == 0
    assert "may send again" in run("unsuspend", login("alice")).stdout
    assert place.send("alice", [RECIPIENT]).accepted
    assert log.wait(event="unsuspend", user=login("alice"))["by"] == who["by"]
    assert run("unsuspend", login("alice"), check=False).returncode == 1
    assert run("suspended", login("alice"), check=False).returncode == 1
    assert "nobody" in run("suspended").stdout


def test_a_postmaster_answers(place, by_hand):
    run, _ = by_hand
    run("suspend", login("postmaster"))
    asked, reply = at_rcpt(place, login("postmaster"))
    assert not asked.startswith("5") and reply.passes
    run("unsuspend", login("postmaster"))


def test_until_then(place, by_hand):
    run, _ = by_hand
    user = login("shortly")
    run("suspend", user, "--until", "5s")
    assert "5.7.13" in at_rcpt(place, user)[0]
    wait.poll(lambda: at_rcpt(place, user)[0] == "DUNNO", what="the suspension to end")
    assert run("suspended", user, check=False).returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        ["suspend"],
        ["suspend", "client:192.0.2.1"],
        ["suspend", "--", "a b"],
        ["suspend", "--", "a@example.test\n"],
        ["suspend", ""],
        ["suspend", "@example.test"],
        ["suspend", "everything"],
        ["suspend", "alice@"],
        ["suspend", "<alice@example.test>"],
        ["suspend", "a@example.test,b@example.test"],
        ["unsuspend", "a b"],
        ["suspend", "a@example.test", "--until", "yesterday"],
        ["suspend", "a@example.test", "--until", "2001-01-01"],
        ["suspend", "a@example.test", "--reason", ""],
        ["suspend", "a@example.test", "--note", "two\nlines"],
        ["suspend", "a@example.test", "b@example.test"],
        ["unsuspend"],
        ["suspended", "client:192.0.2.1"],
    ],
)
def test_what_cannot_be(by_hand, words):
    assert by_hand[0](*words, check=False).returncode == 64


def refused_rcpt(place, user, number):
    with policy.Client(place.policy_socket) as client:
        return client.ask(protocol_state="RCPT", sasl_username=user, sender=user, recipient=GONE,
                          instance=f"auto{number}", size="1000")


@proof.provokes("account.suspended")
def test_suspended_by_a_cause(place, by_hand):
    """Three messages to domains that do not exist: nobody has to be awake for that."""
    run, _ = by_hand
    user = login("carol")
    for number in range(2):
        assert "dns.recipient-domain" in refused_rcpt(place, user, number)
        # Asked again about the same message: it counts once.
        assert "dns.recipient-domain" in refused_rcpt(place, user, number)
    assert at_rcpt(place, user)[0] == "DUNNO"
    assert "dns.recipient-domain" in refused_rcpt(place, user, 2)
    line = place.policyd.log.wait(event="suspend", user=user)
    assert line["cause"] == "dns.recipient-domain"
    assert (line["n"], line["by"]) == ("3", "sluice-policyd@mx.example.test")
    wait.poll(lambda: "5.7.13" in at_rcpt(place, user)[0], what="the suspension")
    assert "cause dns.recipient-domain" in run("suspended", user).stdout
    place.policyd.log.wait(event="cause", cause="account.suspended", user=user)
    run("unsuspend", user)
    # Counting begins anew.
    assert "dns.recipient-domain" in refused_rcpt(place, user, 3)
    assert at_rcpt(place, user)[0] == "DUNNO"


def test_what_is_observed_suspends_nobody(place):
    user = login("dave")
    with policy.Client(place.policy_socket) as client:
        asked = client.ask(protocol_state="END-OF-MESSAGE", sasl_username=user, sender=user,
                           recipient=RECIPIENT, size="999999999999", queue_id="BIG")
    assert asked == "DUNNO"
    line = place.policyd.log.wait(event="cause", cause="content.size")
    assert line["would"] == "reject"
    assert at_rcpt(place, user)[0] == "DUNNO"


def test_holds_while_the_store_is_away(station):
    """Also what is new holds on this host at once, and everywhere when the store is back."""
    place = station(sections=counting.NO_DNS + "cause content.size { suspend = 12h after 3 in 10m }",
                    options={"store-timeout": "3s", "max-message-size": "1K"},
                    resolver=False, parts=sluice.DAEMONS, durable=True)
    user, other = login("erin"), login("frank")
    place.ctl.run("suspend", user, "--reason", "billing")
    with Charger(place.policy_socket) as charger, MilterCharger(place.milter_socket) as at_milter:
        assert "5.7.13" in charger.message(user=user).words
        assert "5.7.13" in at_milter.message(user=user).words
        place.redis.kill()
        place.policyd.log.wait(cause="self.store-down", state="down")
        assert "5.7.13" in charger.message(user=user).words
        assert "5.7.13" in at_milter.message(user=user).words
        assert charger.message(user=other).accepted
        for _ in range(3):
            assert "content.size" in charger.message(user=other, size="99999").words
        wait.poll(lambda: "5.7.13" in charger.message(user=other).words, what="the suspension")
        place.redis.start()
        for daemon in place.daemons:
            daemon.log.wait(cause="self.store-down", state="up")
        wait.poll(lambda: place.ctl.run("suspended", other, check=False).returncode == 0,
                  what="the suspension in the store")
        assert "5.7.13" in at_milter.message(user=other).words


AUTOMATIC = """
cause account.bounce-rate { suspend = 12h after 3 in 10m }
cause recipient.unknown { suspend = 12h after 2 in 10m }
cause account.login-failures { suspend = 1h after 3 in 10m }
cause content.size { suspend = 12h after 3 in 10m }
"""


@pytest.fixture(name="follower", scope="module")
def fixture_follower(module_site):
    """Both daemons, and sluice-feedback over a mail log that the test writes."""
    options = {"max-message-size": "1K", "bounce-rate-minimum": "4", "login-failures": "3"}
    place = module_site(mta="none", sections=counting.NO_DNS + AUTOMATIC, options=options,
                        resolver=False, parts=sluice.DAEMONS)
    place.mail = MailLog(place.folder / "mail.log")
    place.feedback = sluice.Daemon("sluice-feedback", place.folder, place.policyd._config, [],
                                   overrides={"mail-log": str(place.mail.path)})
    place.feedback.start()
    yield place
    place.feedback.stop()


def deliver(place, user, recipient, status="bounced", dsn="5.7.1", words="550 5.7.1 Spam refused"):
    queue_id = f"{abs(hash((user, recipient))) % 16**9:09X}"
    place.mail.sender(queue_id, user)
    place.mail.delivery(queue_id, recipient, status, dsn, words)


def is_suspended(place, user):
    return place.ctl.run("suspended", user, check=False).returncode == 0


def refused_next(place, user, by):
    """Both daemons refuse the next recipient, and the log says which cause, and who found it."""
    wait.poll(lambda: is_suspended(place, user), what="the suspension", on_timeout=place.feedback.describe)
    for said in at_rcpt(place, user):
        assert "5.7.13" in str(said), said
    for asked in place.daemons:
        asked.log.wait(event="cause", cause="account.suspended", user=user)
    daemon, cause, number = by
    line = daemon.log.wait(event="suspend", user=user)
    assert (line["cause"], line["n"]) == (cause, number)
    assert line["by"].startswith(daemon.name + "@")


@proof.provokes("account.suspended")
def test_suspended_for_what_bounced(follower):
    """What sluice-feedback counts is found with the next messages, and the third one suspends."""
    user = login("gina")
    for number in range(5):
        deliver(follower, user, f"x{number}@example.net")
    wait.poll(lambda: len(follower.feedback.log.events(event="delivery", user=user)) == 5,
              what="the bounces", on_timeout=follower.feedback.describe)
    with policy.Client(follower.policy_socket) as client:
        for number in range(3):
            assert not is_suspended(follower, user)
            client.message(f"RATE{number}", [RECIPIENT], sasl_username=user, sender=user)
    refused_next(follower, user, (follower.policyd, "account.bounce-rate", "3"))


@proof.provokes("account.suspended")
def test_suspended_for_recipients_that_do_not_exist(follower):
    """A delivery counts once for each recipient, however often its line is read or it is tried."""
    user = login("hugo")
    unknown = ("5.1.1", "550 5.1.1 No such user")
    for number, status in ((0, "deferred"), (0, "bounced"), (0, "bounced")):
        deliver(follower, user, f"gone{number}@example.net", status, *unknown)
    deliver(follower, login("ida"), "gone7@example.net", "bounced", *unknown)
    wait.poll(lambda: follower.feedback.log.events(event="delivery", user=login("ida")),
              what="ida's bounce", on_timeout=follower.feedback.describe)
    assert not is_suspended(follower, user) and not is_suspended(follower, login("ida"))
    deliver(follower, user, "gone1@example.net", "bounced", *unknown)
    refused_next(follower, user, (follower.feedback, "recipient.unknown", "2"))


@proof.provokes("account.suspended")
def test_suspended_for_failed_logins(follower):
    """The third is too many, and so are the two behind it."""
    user = login("jack")

    def fail(number):
        follower.mail.line("submission/smtpd",
                           f"warning: a.test[192.0.2.1]: SASL PLAIN authentication failed: bad password {number}, "
                           f"sasl_username={user}")

    for number in range(4):
        fail(number)
    follower.feedback.log.wait(cause="account.login-failures", user=user)
    assert not is_suspended(follower, user)
    fail(4)
    refused_next(follower, user, (follower.feedback, "account.login-failures", "3"))


@proof.provokes("account.suspended")
def test_suspended_by_the_milter(follower):
    user = login("kate")
    with milter.Client(follower.milter_socket) as mta:
        mta.connect()
        for number in range(3):
            assert not is_suspended(follower, user)
            reply = mta.message(f"KATE{number}", user, [RECIPIENT], login=user, body=b"x" * 5000)
            assert "content.size" in reply.text, reply
    refused_next(follower, user, (follower.milter, "content.size", "3"))
