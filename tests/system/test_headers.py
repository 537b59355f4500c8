# SPDX-License-Identifier: BSD-2-Clause
"""What breaks a signature on the way is found before it leaves; and config.headers."""

import pytest

from support import proof, signature
from support import site as site_module

DOMAIN = site_module.DOMAIN
HEAD = {
    "From": f"Alice <alice@{DOMAIN}>",
    "To": "bob@example.net",
    "Date": "Thu, 1 Jan 2026 00:00:00 +0000",
    "Message-ID": "<1@example.test>",
    "MIME-Version": "1.0",
    "Content-Type": "text/plain; charset=utf-8",
}


@pytest.fixture(scope="module")
def place(module_site):
    """Postfix adds no headers of its own, and the next server does not take 8BITMIME."""
    return module_site(
        parts=("sluice-milter",),
        settings={
            "local_header_rewrite_clients": "",
            "smtp_discard_ehlo_keywords": "8bitmime, smtputf8",
        },
    )


def make(body=b"Hello.\r\n", more=b"", **fields):
    head = {**HEAD, **{name.replace("_", "-"): value for name, value in fields.items()}}
    lines = [f"{name}: {value}\r\n".encode() for name, value in head.items() if value is not None]
    return b"".join(lines) + more + b"\r\n" + body


def send(place, subject, eight_bit=False, **parts):
    """The message line, its config.headers lines, and what was delivered."""
    with place.client("alice") as client:
        data = make(Subject=subject, **parts)
        options = ["BODY=8BITMIME"] if eight_bit else []
        outcome = client.send(f"alice@{DOMAIN}", ["bob@example.net"], data, options)
    assert outcome.accepted, outcome
    line = place.milter.log.wait(event="message", queue_id=outcome.queue_id)
    if line.get("causes"):
        place.milter.log.wait(event="cause", queue_id=outcome.queue_id)
    causes = place.milter.log.events(event="cause", queue_id=outcome.queue_id)
    delivered = place.sink.wait_subject(subject)
    return line, [one for one in causes if one["cause"] == "config.headers"], delivered


def is_whole(delivered, place):
    try:
        signature.check(delivered, place.dns)
    except AssertionError:
        return False
    return True


@proof.near_miss("config.headers")
def test_an_ordinary_message(place):
    line, causes, delivered = send(place, "ordinary", body=b"x" * 998 + b"\r\nend\r\n")
    assert (line["dkim-survival"], causes) == ("likely", [])
    assert "X-Sluice-Warning" not in delivered.message
    signature.check(delivered, place.dns)


@proof.provokes("config.headers")
def test_a_line_over_998_octets_is_broken_after_signing(place):
    line, [cause], delivered = send(place, "long line", body=b"x" * 999 + b"\r\nend\r\n")
    assert line["dkim-survival"] == "at-risk:line-998"
    assert (cause["problem"], cause["longest"], cause["lines"]) == ("line-998", "999", "1")
    assert "quoted-printable" in cause["hint"] and cause["reply"] == "550 5.6.0"
    assert cause["action"] == "warn" and "config.headers" in line["causes"]
    assert "999 octets" in delivered.message["X-Sluice-Warning"]
    # the prediction comes true
    assert b"x" * 999 not in delivered.data and not is_whole(delivered, place)


def test_a_long_header_line_is_broken_too(place):
    line, [cause], delivered = send(place, "long header", References="<" + "y" * 1000 + "@x>")
    assert line["dkim-survival"] == "at-risk:line-998"
    assert (cause["problem"], cause["longest"]) == ("line-998", str(1000 + len("References: <@x>")))
    assert not is_whole(delivered, place)


def test_eight_bits_are_encoded_anew(place):
    body = "grüß\r\n".encode()
    parts = {"eight_bit": True, "Content-Transfer-Encoding": "8bit"}
    line, causes, delivered = send(place, "eight bits", body=body, **parts)
    assert (line["dkim-survival"], causes) == ("at-risk:8bit", [])
    assert b"gr=C3=BC=C3=9F" in delivered.data and not is_whole(delivered, place)


def test_a_part_that_says_8bit_is_encoded_anew_whatever_its_octets(place):
    mime = {"Content-Type": "multipart/mixed; boundary=x"}
    body = b"--x\r\nContent-Transfer-Encoding: 8bit\r\n\r\nplain = ASCII\r\n--x--\r\n"
    line, _, delivered = send(place, "part", eight_bit=True, body=body, **mime)
    assert line["dkim-survival"] == "at-risk:8bit"
    assert b"plain =3D ASCII" in delivered.data and not is_whole(delivered, place)


@pytest.mark.parametrize(
    "parts, problem, header",
    [
        ({"Date": None}, "missing", "Date"),
        ({"Message-ID": None}, "missing", "Message-ID"),
        ({"Date": None, "Message-ID": None}, "missing", "Date, Message-ID"),
        ({"more": b"Date: Thu, 1 Jan 2026 00:00:00 +0000\r\n"}, "repeated", "Date"),
        ({"more": b"Message-ID: <2@example.test>\r\n"}, "repeated", "Message-ID"),
    ],
    ids=["no-date", "no-message-id", "neither", "two-dates", "two-message-ids"],
)
def test_headers_missing_or_repeated(place, request, parts, problem, header):
    _, [cause], _ = send(place, request.node.name, **parts)
    assert (cause["problem"], cause["header"]) == (problem, header)
    assert header in cause["hint"]


@pytest.mark.parametrize(
    "sender, more, problem, reason",
    [
        (None, b"", "missing", "no-from"),
        ("Alice <alice@example.test", b"", "unparsable", "no-from"),
        (f"alice@{DOMAIN}", f"From: alice@{DOMAIN}\r\n".encode(), "repeated", "many-from"),
    ],
    ids=["none", "unparsable", "two"],
)
def test_from(place, request, sender, more, problem, reason):
    line, [cause], _ = send(place, request.node.name, From=sender, more=more)
    assert (cause["problem"], cause["header"]) == (problem, "From")
    assert line["dkim"] == f"none:{reason}" and "dkim-survival" not in line


def test_refused_where_the_admin_wants_it(module_site):
    place = module_site(
        parts=("sluice-milter",), sections="cause config.headers { action = reject }\n"
    )
    outcome = place.send("alice", ["bob@example.net"], data=make(body=b"z" * 2000 + b"\r\n"))
    assert outcome.data.code == 550 and "5.6.0" in outcome.data.text, outcome
    assert "2000 octets" in outcome.data.text and "[config.headers]" in outcome.data.text
    assert place.send("alice", ["bob@example.net"], data=make()).accepted
