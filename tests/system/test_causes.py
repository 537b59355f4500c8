# SPDX-License-Identifier: BSD-2-Clause
"""Every cause that the daemons find: provoked through a real Postfix and read from the log; and a near miss."""

import dataclasses
import json

import pytest

from support import proof
from support import site as site_module
from support import smtp

DOMAIN = site_module.DOMAIN
OPTIONS = {
    "contact": '"help@example.test"',
    "max-message-size": "20K",
    "internal-networks": '{"10.0.0.0/8"}',
    "sender-login": '{"equal"}',
}
LIMITS = """
limit daily  { subject = user  count = messages  max = 5  per = 24h  near = 80% }
limit rcpts  { subject = user  count = recipients  max = 20  per = 1h  near = 0 }
limit fanout { count = recipients  max = 6  per = message }
class staff  { members = {"bob@example.test"}  limit daily { max = 1000 } limit rcpts { max = 100000 } }
"""
OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "[UNAVAILABLE]"}


@dataclasses.dataclass
class Case:
    """What to send, and what must come of it; near is the message that must not be found fault with."""

    cause: str
    reply: str = None
    smtp: str = None  # where Postfix' list maps the enhanced code: for a recipient list 5.1.8 becomes 5.1.2
    fields: dict = dataclasses.field(default_factory=dict)
    hint: str = ""
    login: str = "bob"
    sender: str = f"bob@{DOMAIN}"
    recipients: tuple = ("carol@example.net",)
    from_: str = None
    size: int = 0
    near: dict = dataclasses.field(default_factory=dict)
    name: str = ""

    def __str__(self):
        return self.name or self.cause


CASES = [
    Case(
        "account.sender-mismatch",
        "553 5.7.1",
        None,
        {"user": f"bob@{DOMAIN}", "from": f"alice@{DOMAIN}", "in": "envelope"},
        "sender-login",
        sender=f"alice@{DOMAIN}",
        near={"sender": f"bob+list@{DOMAIN}"},
    ),
    Case(
        "account.sender-mismatch",
        "553 5.7.1",
        None,
        {"from": f"alice@{DOMAIN}", "in": "header"},
        from_=f'"Bob" <alice@{DOMAIN}>',
        near={"from_": f'"alice@{DOMAIN}" <Bob@Example.Test>'},
        name="account.sender-mismatch-header",
    ),
    Case(
        "account.unauthenticated",
        "530 5.7.0",
        None,
        {"from": f"bob@{DOMAIN}", "client": "203.0.113.7"},
        "log in",
        login=None,
        recipients=(f"alice@{DOMAIN}",),
        near={"sender": "someone@example.net"},
    ),
    Case(
        "dns.sender-domain",
        "550 5.1.8",
        "550 5.1.2",
        {"domain": "expired.invalid"},
        "registration",
        login=None,
        sender="someone@expired.invalid",
        recipients=(f"alice@{DOMAIN}",),
        near={"sender": "someone@address.test"},
    ),
    Case(
        "dns.recipient-domain",
        "550 5.1.2",
        None,
        {"rcpt": "carol@no-such.invalid", "domain": "no-such.invalid"},
        "correct the address",
        recipients=("carol@no-such.invalid",),
        near={"recipients": ("carol@address.test",)},
    ),
    Case(
        "dns.recipient-no-mail",
        "556 5.1.10",
        "556 5.1.0",
        {"rcpt": "carol@nullmx.test", "record": "MX 0 ."},
        "nullmx.test",
        recipients=("carol@nullmx.test",),
        near={"recipients": ("carol@example.net",)},
    ),
    Case(
        "dns.recipient-no-mail",
        "550 5.1.2",
        None,
        {"record": "no MX, A or AAAA"},
        "nothing.test",
        recipients=("carol@nothing.test",),
        near={"recipients": ("carol@address.test",)},
        name="dns.recipient-no-mail-nothing",
    ),
    Case(
        "recipient.syntax",
        "501 5.1.3",
        None,
        {"rcpt": "carol@example.net."},
        "correct the address",
        recipients=("carol@example.net.",),
        near={"recipients": ('"car ol"@example.net',)},
    ),
    Case("content.size", "552 5.3.4", None, {"max": "20480"}, "max-message-size", size=21000, near={"size": 15000}),
    Case(
        "limit.message-recipients",
        "550 5.5.3",
        None,
        {"limit": "fanout", "used": "7", "max": "6", "window": "message"},
        "parts of at most 6",
        recipients=tuple(f"r{n}@example.net" for n in range(7)),
        near={"recipients": tuple(f"r{n}@example.net" for n in range(6))},
    ),
]


ENFORCING = {
    "options": OPTIONS,
    "sections": LIMITS,
    "settings": {"mynetworks": "127.0.0.0/8 10.0.0.0/8"},
}


@pytest.fixture
def enforcing(site):
    return site(**ENFORCING)


@pytest.fixture(scope="module")
def shared(module_site):
    """The same, for messages that use up no limit of another test's."""
    return module_site(**ENFORCING)


def send(site, case, **changes):
    case = dataclasses.replace(case, **changes)
    fields = {"body": "x" * 70 + "\n" if not case.size else ("x" * 70 + "\n") * (case.size // 71)}
    if case.from_:
        fields["From"] = case.from_
    data = smtp.message(case.sender, case.recipients, **fields)
    options = {} if case.login else {"xclient": OUTSIDE}
    with site.client(case.login, **options) as client:
        return client.send(case.sender, case.recipients, data)


def cause_events(site, **fields):
    return site.policyd.log.events(event="cause", **fields) + site.milter.log.events(event="cause", **fields)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=proof.both(case.cause), id=str(case)) for case in CASES]
)
def test_cause(shared, case):
    shared.policyd.log.mark()
    shared.milter.log.mark()
    refusal = send(shared, case).refusal
    assert refusal is not None and str(refusal).startswith(case.smtp or case.reply), refusal
    assert f"[{case.cause}]" in refusal.text
    assert "help@example.test" in refusal.text
    found = cause_events(shared, cause=case.cause)
    assert found, shared.describe()
    event = found[0]
    assert event["reply"] == case.reply
    assert event["action"] == "reject"
    assert {name: event[name] for name in case.fields} == case.fields
    assert case.hint in event["hint"]
    refused = [daemon.log.events(event="message", verdict="reject") for daemon in (shared.policyd, shared.milter)]
    assert any(case.cause in line["causes"] for lines in refused for line in lines)

    shared.policyd.log.mark()
    shared.milter.log.mark()
    near = send(shared, case, **case.near)
    assert near.refusal is None, near.refusal
    shared.milter.log.wait(event="message", queue_id=near.queue_id)
    assert not cause_events(shared, cause=case.cause)


@proof.provokes("limit.messages", "limit.near")
@proof.near_miss("limit.near")
def test_limit_messages_and_near(enforcing):
    """The fourth of five is near, the sixth is over; the reply has all the numbers."""
    with enforcing.client("alice") as client:
        outcomes = [client.send(f"alice@{DOMAIN}", ["carol@example.net"]) for _ in range(6)]
    assert [outcome.accepted for outcome in outcomes] == [True] * 5 + [False]
    reply = outcomes[5].refusal
    assert str(reply).startswith("450 4.7.28")
    assert "used 5 of 5 messages in 24 hours" in reply.text and "[limit.messages]" in reply.text
    near = cause_events(enforcing, cause="limit.near")
    assert len(near) == 1 and near[0]["used"] == "4" and near[0]["queue_id"] == outcomes[3].queue_id
    over = enforcing.policyd.log.wait(event="cause", cause="limit.messages")
    assert (over["used"], over["max"], over["window"]) == ("5", "5", "86400")
    assert 0 < int(over["retry-after"]) <= 86400 * 61 / 60
    assert f"sluicectl limits user:alice@{DOMAIN}" in over["hint"]


@proof.provokes("limit.recipients")
@proof.near_miss("limit.recipients")
def test_limit_recipients(enforcing):
    """Refused as soon as the recipients named so far are too many; the ones before may go."""
    with enforcing.client("alice") as client:
        for _ in range(3):
            assert client.send(f"alice@{DOMAIN}", [f"r{n}@example.net" for n in range(6)]).accepted
        outcome = client.send(f"alice@{DOMAIN}", [f"r{n}@example.net" for n in range(4)])
    refused = [reply for reply in outcome.rcpt.values() if not reply.ok]
    assert len(refused) == 2 and all("[limit.recipients]" in str(reply) for reply in refused)
    over = enforcing.policyd.log.wait(event="cause", cause="limit.recipients")
    assert (over["max"], over["window"]) == ("20", "3600")
    assert outcome.accepted
    limits = json.loads(enforcing.ctl.run("limits", "--json", f"alice@{DOMAIN}").stdout)["limits"]
    assert {limit["limit"]: limit.get("used") for limit in limits}["rcpts"] == 20


@proof.near_miss("limit.messages")
def test_class_has_its_own_maximum(enforcing):
    with enforcing.client("bob") as client:
        assert all(client.send(f"bob@{DOMAIN}", ["carol@example.net"]).accepted for _ in range(8))


@proof.provokes("dns.failure")
@proof.near_miss("dns.failure")
def test_dns_failure_refuses_nobody(enforcing):
    near = enforcing.send("bob", ["carol@address.test"])
    enforcing.milter.log.wait(event="message", queue_id=near.queue_id)
    assert not cause_events(enforcing, cause="dns.failure")
    outcome = enforcing.send("bob", ["carol@broken.test"])
    assert outcome.accepted, outcome.refusal
    event = enforcing.milter.log.wait(event="cause", cause="dns.failure")
    assert event["domain"] == "broken.test" and "broken.test" in event["hint"]
    with enforcing.client() as client:
        outcome = client.send("someone@servfail.broken.test", ["carol@address.test"])
    assert outcome.accepted, outcome.refusal
    event = enforcing.milter.log.wait(event="cause", cause="dns.failure", queue_id=outcome.queue_id)
    assert event["domain"] == "servfail.broken.test"
    assert event["lookups"] == "MX servfail.broken.test"


def test_observe_mode_only_says(site):
    site = site(options={**OPTIONS, "mode": "observe"}, sections=LIMITS)
    case = CASES[4]
    outcome = send(site, case)
    assert outcome.accepted, outcome.refusal
    for daemon in (site.policyd, site.milter):
        line = daemon.log.wait(event="message", queue_id=outcome.queue_id)
        assert (line["verdict"], line["would"]) == ("accept", "reject")
        event = daemon.log.wait(event="cause", cause=case.cause)
        assert (event["action"], event["would"], event["reply"]) == ("log", "reject", case.reply)


def test_bounces_are_never_refused(enforcing):
    """The null reverse-path of another MTA passes whatever is found, and is warned about."""
    with enforcing.client(xclient={"ADDR": "10.1.2.3", "NAME": "[UNAVAILABLE]"}) as client:
        data = smtp.message(f"alice@{DOMAIN}", ["carol@example.net"])
        outcome = client.send("", ["carol@no-such.invalid"], data)
        assert outcome.accepted, outcome.refusal
    mail = enforcing.sink.wait_count(1)[0]
    assert "[dns.recipient-domain]" in mail.message["X-Sluice-Warning"]


def test_a_login_without_a_sender_is_no_bounce(enforcing):
    """A stolen account does not get round its limits by sending from <>."""
    data = smtp.message(f"alice@{DOMAIN}", ["carol@example.net"])
    with enforcing.client("alice") as client:
        outcomes = [client.send("", ["carol@example.net"], data) for _ in range(6)]
    assert [outcome.accepted for outcome in outcomes] == [True] * 5 + [False]
    assert "[limit.messages]" in str(outcomes[5].refusal)


def test_per_cause_actions(site):
    """hold holds, warn warns, ignore is silent, defer defers."""
    site = site(
        options=OPTIONS,
        sections="""
cause dns.recipient-domain { action = hold }
cause dns.recipient-no-mail { action = warn }
cause recipient.syntax { action = ignore }
cause account.sender-mismatch { action = defer }
""",
    )
    held = site.send("bob", ["carol@no-such.invalid"])
    assert held.accepted
    assert any(mail["queue_name"] == "hold" for mail in site.mta.queued())
    warned = site.send("bob", ["carol@nullmx.test"], subject="warned")
    assert warned.accepted
    headers = site.sink.wait_subject("warned").message.get_all("X-Sluice-Warning")
    assert any("[dns.recipient-no-mail]" in value for value in headers)
    deferred = site.send("bob", ["carol@example.net"], sender=f"alice@{DOMAIN}")
    assert str(deferred.refusal).startswith("453 4.7.1") or str(deferred.refusal).startswith("450 4.7.1")
    ignored = site.send("bob", ["carol@example.net."])
    assert not cause_events(site, cause="recipient.syntax"), ignored.refusal
