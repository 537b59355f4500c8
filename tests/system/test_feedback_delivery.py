# SPDX-License-Identifier: BSD-2-Clause
"""A real Postfix delivers to servers that answer as the world's do: each failure ends in its cause,
in the delivery line, in the store and in the findings of the next message, and ends with it.
"""

import time
import uuid

import pytest

from support import credentials, proof, receiver, sluice, wait
from support.site import DOMAIN

SECONDS = wait.SECONDS
RATE = "421 4.7.28 Our system has detected an unusual rate of unsolicited mail"
BLOCKED = "554 5.7.1 Service unavailable; Client host [198.51.100.9] blocked using zen.spamhaus.org"
# domain: server, cause, whether the store remembers it of the recipient or the destination
WORLD = {
    "unknown.test": (
        receiver.Receiver("550 5.1.1 The email account that you tried to reach does not exist"),
        "recipient.unknown", "rcpt",
    ),
    "full.test": (
        receiver.Receiver("452 4.2.2 The email account that you tried to reach is over quota"),
        "recipient.mailbox-full", "rcpt",
    ),
    "disabled.test": (
        receiver.Receiver("550 5.2.1 The email account that you tried to reach is disabled"),
        "recipient.disabled", "rcpt",
    ),
    "mailbox-size.test": (
        receiver.Receiver("552 5.2.3 Message is too large for this mailbox"),
        "recipient.refuses-size", "rcpt",
    ),
    "grey.test": (
        receiver.Receiver("450 4.7.1 Greylisted, please try again in 300 seconds"),
        "destination.greylisting", "dest",
    ),
    "rate.test": (
        receiver.Receiver(receiver.after(10, RATE)),
        "destination.throttling", "dest",
    ),
    "quota.test": (
        receiver.Receiver("552 5.2.2 The email account that you tried to reach is over quota"),
        "recipient.mailbox-full", "rcpt",
    ),
    "listed.test": (receiver.Receiver(BLOCKED), "destination.blocks-us", "dest"),
    "banner.test": (receiver.Receiver(banner=BLOCKED), "destination.blocks-us", "dest"),
    "dmarc.test": (
        receiver.Receiver(at_end="550 5.7.26 Unauthenticated email from example.test is not "
                          "accepted due to domain's DMARC policy"),
        "destination.auth-required", "dest",
    ),
    "size.test": (
        receiver.Receiver(at_end="552 5.3.4 Message size exceeds fixed limit"),
        "destination.size", "dest",
    ),
    "relay.test": (
        receiver.Receiver("554 5.7.1 Relay access denied"), "destination.relay-denied", "dest",
    ),
    "content.test": (
        receiver.Receiver(at_end="550 5.7.1 Message rejected: its content looks like spam"),
        "destination.content", "dest",
    ),
    "other.test": (
        receiver.Receiver("550 5.0.0 The moon is in the wrong house"), "destination.other", "dest",
    ),
    "closes.test": (receiver.Receiver(closes=True), "destination.unreachable", "dest"),
    "refuses.test": (receiver.Receiver(), "destination.unreachable", "dest"),
    "tarpit.test": (receiver.Tarpit(), "destination.unreachable", "dest"),
    "tls.test": (receiver.Receiver(tls="broken"), "destination.tls", "dest"),
    "certificate.test": (receiver.Receiver(), "destination.tls", "dest"),
    "dns.test": (receiver.Receiver(), "destination.dns", "dest"),
    "takes.test": (receiver.Receiver(), None, None),
}
FAILING = {domain: row for domain, row in WORLD.items() if row[1]}

# What the hint of each kind of failure advises, to the next message too.
ADVICE = {
    "unknown.test": "correct the address",
    "full.test": "mailbox's owner",
    "disabled.test": "present address",
    "mailbox-size.test": "send a link",
    "tls.test": '"tls.test may" in smtp_tls_policy_maps',
    "dns.test": "dig MX dns.test",
}


@pytest.fixture(scope="module")
def world(module_site, tmp_path_factory):
    maps = ", ".join(
        f"{{{domain}=smtp:{'dns.test' if domain == 'dns.test' else '[127.0.0.1]'}:{server.port}}}"
        for domain, (server, *_) in WORLD.items()
    )
    trusted = credentials.Certificate(tmp_path_factory.mktemp("trusted"), "mx.certificate.test")
    levels = {"tls.test": "encrypt", "certificate.test": "secure match=mx.certificate.test"}
    policies = ", ".join(
        f"{{[127.0.0.1]:{WORLD[domain][0].port}={level}}}" for domain, level in levels.items()
    )
    place = module_site(
        lookups=True,
        zones={"dns.test": None},
        settings={
            "smtp_tls_CAfile": str(trusted.cert),
            "transport_maps": f"inline:{{ {maps} }}",
            "smtp_tls_policy_maps": f"inline:{{ {policies} }}",
            "smtp_connect_timeout": "5s",
            "smtp_helo_timeout": "2s",
            "smtp_destination_concurrency_failed_cohort_limit": "0",
            "smtp_destination_recipient_limit": "1",
            "minimal_backoff_time": "1s",
            "maximal_backoff_time": "1s",
            "queue_run_delay": "1s",
            "notify_classes": "",
        },
        sections="".join(
            f"cause {cause} {{ action = ignore }}\n"
            for cause in ("dns.recipient-domain", "dns.failure")
        )
        + "cause recipient.unknown { action = warn }\n",
    )
    place.pair = (str(place.mta.certificate.cert), str(place.mta.certificate.key))
    place.trusted = (str(trusted.cert), str(trusted.key))
    WORLD["certificate.test"][0].tls = place.pair
    for domain, (server, *_) in WORLD.items():
        if domain != "refuses.test":
            server.start()
    place.feedback = sluice.Daemon(
        "sluice-feedback",
        place.folder,
        place.ctl._config,
        [],
        overrides={"mail-log": str(place.mta.log)},
    )
    place.feedback.start()
    for _ in range(10):
        send(place, "rate.test")
    place.first = {domain: send(place, domain) for domain in FAILING}
    yield place
    place.feedback.stop()
    for server, *_ in WORLD.values():
        server.stop()


def send(place, domain):
    """One message of alice's; its queue id."""
    outcome = place.send("alice", [f"bob@{domain}"], subject=uuid.uuid4().hex)
    assert outcome.accepted, outcome.refusal
    return outcome.queue_id


def note(place, kind, domain):
    subject = f"rcpt:bob@{domain}" if kind == "rcpt" else f"dest:{domain}"
    with place.redis.client() as client:
        return client.call("HGETALL", f"sluice:{{{subject}}}")


def recover(place, domain):
    server = WORLD[domain][0]
    server.recover()
    if domain == "tls.test":
        server.tls = place.pair
    elif domain == "certificate.test":
        server.tls = place.trusted
    elif domain == "dns.test":
        place.dns.set_zone(domain, "@ IN MX 10 mx\nmx IN A 127.0.0.1\n")


def check_why(place, queue_id, domain, cause):
    """All logs together tell the way of a message, by whatever it is asked for."""
    daemons = (place.policyd, place.milter, place.feedback)
    logs = [place.mta.log, *(daemon.log.path for daemon in daemons)]
    said = place.ctl.run("why", queue_id, *logs).stdout.splitlines()
    assert cause in said[-2] and f"bob@{domain}" in said[-2] and queue_id in said[-2]
    assert said[-1].startswith("Next: ")
    programs = {line[21:].split()[0].partition("[")[0] for line in said[:-3]}
    assert {"sluice-milter", "sluice-feedback", "postfix/smtp"} <= programs
    assert f"bob@{domain}" in place.ctl.run("why", "--since", "1h", f"bob@{domain}", *logs).stdout
    assert queue_id in place.ctl.run("why", f"<bob@{domain}>", *logs).stdout


@pytest.mark.parametrize(
    "domain",
    [pytest.param(domain, marks=proof.both(row[1]), id=domain) for domain, row in FAILING.items()],
)
def test_failure_has_its_cause(world, domain):
    _, cause, kind = WORLD[domain]
    queue_id = world.first[domain]
    event = world.feedback.log.wait(
        event="delivery", queue_id=queue_id, cause=cause, seconds=SECONDS
    )
    assert event["user"] == f"alice@{DOMAIN}"
    assert (event["rcpt"], event["domain"]) == (f"bob@{domain}", domain)
    assert event["hint"].startswith((f"bob@{domain}: ", f"{domain}: "))
    wait.poll(lambda: cause in note(world, kind, domain), SECONDS, "the store's note")
    if cause in ("recipient.refuses-size", "destination.size"):
        kept = note(world, kind, domain)
        assert int(kept[kept.index("size") + 1].split()[-1]) > 100
    following = send(world, domain)
    line = world.milter.log.wait(event="message", queue_id=following, seconds=SECONDS)
    assert cause in line["causes"].split(",")
    finding = world.milter.log.wait(event="cause", queue_id=following, cause=cause)
    assert finding["rcpt"] == f"bob@{domain}"
    assert int(finding["n"]) >= 1
    assert finding["since"] and finding["text"]
    assert domain in finding["hint"] and ADVICE.get(domain, "") in finding["hint"]
    # A message's size is not known yet when its recipients are.
    if cause != "destination.size":
        assert world.policyd.log.events(event="cause", cause=cause, rcpt=f"bob@{domain}")
    if kind == "dest":
        assert line["dest"] == f"{domain}:{cause.partition('.')[2]}"
        assert line["since"] and int(line["n"]) >= 1
    check_why(world, queue_id, domain, cause)
    recover(world, domain)
    send(world, domain)
    ended = wait.poll(
        lambda: [
            event
            for event in world.feedback.log.events(event="delivery", status="sent")
            if event["domain"] == domain
        ],
        SECONDS,
        "the end of it",
        world.feedback.describe,
    )[0]
    assert ended["ended"] == cause
    wait.poll(lambda: not note(world, kind, domain), SECONDS, "the note to go")
    line = world.milter.log.wait(
        event="message", queue_id=send(world, domain), seconds=SECONDS
    )
    assert cause not in line.get("causes", "") and "dest" not in line


def test_smaller_than_what_was_refused(world):
    """A mailbox that refused a large message takes small ones: nothing is said of those."""
    now = int(time.time())
    for size, raised in ((100000, False), (100, True)):
        # Each has its own: that the one was delivered may be learned when the other is asked about.
        rcpt = f"size{size}@mailbox-size.test"
        marks = {"recipient.refuses-size": "552 5.2.3 too large", "size": str(size)}
        with world.redis.client() as client:
            for name, text in marks.items():
                client.call("HSET", f"sluice:{{rcpt:{rcpt}}}", name, f"{now} {now} 1 0 0 {text}")
        queue_id = world.send("alice", [rcpt], subject=uuid.uuid4().hex).queue_id
        line = world.milter.log.wait(event="message", queue_id=queue_id, seconds=SECONDS)
        assert ("recipient.refuses-size" in line.get("causes", "")) == raised


def remember(place, subject, **marks):
    now = int(time.time())
    with place.redis.client() as client:
        for name, text in marks.items():
            name = name.replace("__", ".").replace("_", "-")
            client.call("HSET", f"sluice:{{{subject}}}", name, f"{now} {now} 1 0 0 {text}")


def noted(place, subject):
    with place.redis.client() as client:
        words = client.call("HGETALL", f"sluice:{{{subject}}}")
    return set(words[::2])


def test_small_success_says_nothing_of_size(world):
    """What refuses 100,000 octets still does when it has taken a hundred; a larger one is told so
    before it leaves, and a success of that size ends it.
    """
    rcpt = "rcpt:carol@takes.test"
    size = {"size": "100000"}
    body = 2000 * ("y" * 70 + "\r\n")
    remember(
        world, rcpt, recipient__refuses_size="too large", recipient__mailbox_full="full", **size
    )
    remember(
        world, "dest:takes.test", destination__size="too large", destination__other="?", **size
    )
    world.send("alice", ["carol@takes.test"], subject=uuid.uuid4().hex)
    wait.poll(
        lambda: noted(world, rcpt) == {"recipient.refuses-size", "size"}
        and noted(world, "dest:takes.test") == {"destination.size", "size"},
        SECONDS,
        "what is small to be forgotten",
    )
    large = world.send("alice", ["carol@takes.test"], body=body)
    assert not large.accepted and "[content.size]" in large.refusal.text
    finding = world.policyd.log.wait(event="cause", cause="content.size", seconds=SECONDS)
    assert (finding["domain"], finding["max"]) == ("takes.test", "100000")
    assert "reset destination:takes.test" in finding["hint"]
    said = world.ctl.run("reset", "destination", "takes.test").stdout
    assert "takes.test: forgot destination.size, seen 1 time: too large" in said
    assert not noted(world, "dest:takes.test")
    taken = world.send("alice", ["carol@takes.test"], body=body)
    assert taken.accepted
    wait.poll(lambda: not noted(world, rcpt), SECONDS, "the note to go")
    remember(world, rcpt, recipient__unknown="550 5.1.1 no such user")
    assert "forgot recipient.unknown" in world.ctl.run("reset", "recipient:Carol@takes.test").stdout
    assert not noted(world, rcpt)
