# SPDX-License-Identifier: BSD-2-Clause
"""What sluice-feedback learns of an account: its bounces, complaints about it, and failed logins."""

import datetime
import os
import re
import subprocess
import time

import pytest

from support import policy, proof, sluice, wait
from support.feedback import MailLog

SECONDS = wait.SECONDS
FEW = 9  # bounces are no rate yet: bounce-rate-minimum is 10
REPORT = """\
From: <desk@example.net>
To: <fbl@example.test>
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

Somebody has complained.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: Desk/1.0
Version: 1
Original-Mail-From: <carol@example.test>
Original-Rcpt-To: <x{number}@example.net>

--b
Content-Type: message/rfc822

Received: from pc (pc [192.0.2.7])
\t(Authenticated sender: carol@example.test)
\tby mx.example.test; Thu, 19 Nov 2026 14:00:00 +0000
From: <carol@example.test>
Subject: hello
Message-ID: <{number}@example.test>

Hello
--b--
"""


@pytest.fixture
def place(station):
    """A policy daemon and sluice-feedback with one store, and the log that the test writes."""
    place = station(
        resolver=False,
        sections="cause account.login-failures { suspend = 12h after 2 in 10m }\n"
        "cause destination.content { suspend = 2h after 3 in 10m }\n"
        "cause account.complaints { suspend = 1h }\n",
    )
    place.mail = MailLog(place.folder / "mail.log")
    place.maildir = place.folder / "complaints"
    for name in ("tmp", "new", "cur"):
        (place.maildir / name).mkdir(parents=True)
    overrides = {
        "mail-log": str(place.mail.path),
        "feedback-reports": str(place.maildir),
        "login-failures": "3",
    }
    place.feedback = sluice.Daemon(
        "sluice-feedback", place.folder, place.policyd._config, [], overrides=overrides
    )
    place.feedback.start()
    yield place
    place.feedback.stop()


def ask(place, user, queue_id):
    """The policy daemon's answer to one more message of the user's; the causes that it found."""
    with policy.Client(place.policy_socket) as client:
        client.message(queue_id, sasl_username=user, sender=user)
    line = place.policyd.log.wait(event="message", queue_id=queue_id, seconds=SECONDS)
    return line.get("causes", "").split(",")


def deliver(place, user, count, bounced):
    for number in range(count):
        queue_id = f"{abs(hash((user, number))) % 16**9:09X}"
        place.mail.sender(queue_id, user)
        status = ("bounced", "5.1.1", "550 5.1.1 No such user")
        if number >= bounced:
            status = ("sent", "2.0.0", "250 ok")
        place.mail.delivery(queue_id, f"to{number}@{user[0]}.example", *status)
    wait.poll(
        lambda: len(place.feedback.log.events(event="delivery", user=user)) >= bounced,
        SECONDS,
        "the bounces",
        place.feedback.describe,
    )


def commands(hint):
    """The words of the two commands that it names."""
    found = re.search("sluicectl (why .*?) names .* sluicectl (reset .*?) begins", hint)
    return [command.split() for command in found.groups()]


@proof.provokes("account.bounce-rate")
@proof.near_miss("account.bounce-rate")
def test_bounce_rate(place):
    deliver(place, "good@example.test", 20, 1)
    deliver(place, "few@example.test", FEW, FEW)
    deliver(place, "bad@example.test", 20, 12)
    assert "account.bounce-rate" not in ask(place, "good@example.test", "B000000001")
    assert "account.bounce-rate" not in ask(place, "few@example.test", "B000000003")
    assert "account.bounce-rate" in ask(place, "bad@example.test", "B000000002")
    finding = place.policyd.log.wait(event="cause", cause="account.bounce-rate", seconds=SECONDS)
    assert (finding["bounced"], finding["user"]) == ("12", "bad@example.test")
    assert "bad@example.test" in finding["hint"]
    # What it says to do does help.
    why, reset = commands(finding["hint"])
    told = place.ctl.run(*why, place.mail.path).stdout
    assert all(f"to{number}@b.example" in told for number in range(12)), told
    place.ctl.run(*reset)
    assert "account.bounce-rate" not in ask(place, "bad@example.test", "B000000004")


def complain(place, name, text, ago=0):
    """As maildirs are written to; last changed `ago` seconds before."""
    part = place.maildir / "tmp" / name
    part.write_text(text)
    os.utime(part, (time.time() - ago,) * 2)
    part.rename(place.maildir / "new" / name)


def wait_read(place, count, unfinished=None):
    """A report is moved when its line has been written.  What is unfinished is just written to, if
    the machine is slow or not: its time is ahead of ours by less than what a file has to rest for.
    """

    def is_read():
        if unfinished:
            os.utime(unfinished, (time.time() + 4,) * 2)
        return len(list((place.maildir / "cur").iterdir())) == count

    wait.poll(is_read, SECONDS, "the reports read", place.feedback.describe)


@proof.provokes("account.complaints")
@proof.near_miss("account.complaints")
def test_complaints(place):
    """From a maildir and from a pipe; what says that mail is wanted is none."""
    for number in range(2):
        complain(place, f"{number}.host", REPORT.format(kind="abuse", number=number))
    complain(place, "9.host", REPORT.format(kind="not-spam", number=9))
    complain(place, "8.host", "Subject: no report\n\nat all\n", ago=60)
    wait_read(place, 4)
    assert len(place.feedback.log.events(event="complaint")) == 2
    assert "account.complaints" not in ask(place, "carol@example.test", "C000000001")
    argv = [sluice.program("sluicectl"), "-c", place.policyd._config.path,
            "-o", f"feedback-reports={place.maildir}", "report"]
    done = subprocess.run(argv, input="", text=True, check=False, capture_output=True)
    assert done.returncode == 75 and "standard input is empty" in done.stderr
    assert not list((place.maildir / "tmp").iterdir())
    subprocess.run(argv, input=REPORT.format(kind="abuse", number=3), text=True, check=True)
    event = place.feedback.log.wait(event="complaint", n="3", seconds=SECONDS)
    assert event["user"] == "carol@example.test"
    assert event["message-id"] == "<3@example.test>"
    assert "account.complaints" in ask(place, "carol@example.test", "C000000002")
    finding = place.policyd.log.wait(event="cause", cause="account.complaints", seconds=SECONDS)
    assert (finding["complaints"], finding["user"]) == ("3", "carol@example.test")
    why, reset = commands(finding["hint"])
    told = place.ctl.run(*why, place.feedback.log.path).stdout
    assert all(f"<{number}@example.test>" in told for number in (0, 1, 3)), told
    assert reset == ["reset", "user:carol@example.test"]
    # As the configuration has it, that suspends, and the next message is the first that is told.
    suspended = place.policyd.log.wait(event="suspend", user="carol@example.test", seconds=SECONDS)
    assert suspended["cause"] == "account.complaints", suspended
    with policy.Client(place.policy_socket) as client:
        answer = client.ask(sasl_username="carol@example.test", sender="carol@example.test")
    assert "[account.suspended]" in answer
    assert "user:carol@example.test" in finding["hint"]


def test_report_that_is_still_written(place):
    """By a program that does not use tmp: empty, without its mail, and then whole."""
    text = REPORT.format(kind="abuse", number=0)
    parts = ("", text[: text.index("Received:")], text[text.index("Received:") :])
    fresh = place.maildir / "new" / "a.host"
    with open(fresh, "w", encoding="utf-8") as file:
        for number, part in enumerate(parts[:-1]):
            file.write(part)
            file.flush()
            complain(place, f"{number}.host", REPORT.format(kind="abuse", number=number + 1))
            wait_read(place, number + 1, unfinished=fresh)  # and so the other was looked at, too
            assert fresh.exists()
        file.write(parts[-1])
    wait_read(place, 3)
    event, = place.feedback.log.events(event="complaint", message_id="<0@example.test>")
    assert event["user"] == "carol@example.test"
    assert len(place.feedback.log.events(event="complaint")) == 3


def test_report_that_cannot_be_read(place):
    """It is not taken for none without a word."""
    (place.maildir / "new" / "1.link").symlink_to("/nowhere")
    line = place.feedback.log.wait(event="complaint", report=f"{place.maildir}/cur/1.link:2,S")
    assert line["problem"] == "Too many levels of symbolic links" and "move it back" in line["hint"]
    wait.poll(lambda: not list((place.maildir / "new").iterdir()), what="it moved")


def test_smaller_of_two_sizes_is_remembered(place):
    """In whichever order a destination refused them."""
    mark = "destination.size"
    for domain, sizes in {"up.example": (5000, 9000), "down.example": (9000, 5000)}.items():
        for number, size in enumerate(sizes):
            queue_id = f"E{number:08X}{domain[0].encode().hex().upper()}"
            sender = "from=<alice@example.test>"
            place.mail.line("qmgr", f"{queue_id}: {sender}, size={size}, nrcpt=1 (queue active)")
            place.mail.delivery(
                queue_id, f"bob@{domain}", "bounced", "5.3.4", "552 5.3.4 Message size exceeds limit"
            )
        known = {}

        def smaller(known=known, domain=domain):
            with place.redis.client() as client:
                words = client.call("HGETALL", f"sluice:{{dest:{domain}}}")
            known.update(zip(words[::2], words[1::2]))
            twice = known.get(mark, "").split()[2:3] == ["2"]
            return twice and known.get("size", "").endswith(" 5000")

        wait.poll(smaller, SECONDS, "the smaller size", place.feedback.describe)


@proof.provokes("account.login-failures", "account.login-mechanism")
@proof.near_miss("account.login-failures")
def test_failed_logins(place):
    for _ in range(2):
        place.mail.line(
            "submission/smtpd",
            "warning: b.example[192.0.2.2]: SASL PLAIN authentication failed: bad password, "
            "sasl_username=erin@example.test",
        )
    for number in range(4):
        place.mail.line(
            "submission/smtpd",
            "warning: a.example[192.0.2.1]: SASL PLAIN authentication failed: bad password "
            f"{number}, sasl_username=dave@example.test",
        )
    place.mail.line(
        "submission/smtpd",
        "warning: a.example[192.0.2.1]: SASL CRAM-MD5 authentication failed: no mechanism "
        "available",
    )
    event = place.feedback.log.wait(cause="account.login-mechanism", seconds=SECONDS)
    assert (event["client"], event["mechanism"]) == ("192.0.2.1", "CRAM-MD5")
    event = place.feedback.log.wait(
        event="cause", cause="account.login-failures", seconds=SECONDS
    )
    assert (event["user"], event["n"], event["client"]) == ("dave@example.test", "3", "192.0.2.1")
    assert len(place.feedback.log.events(event="cause", cause="account.login-failures")) == 1


def fail_logins(place, user, count):
    for number in range(count):
        place.mail.line(
            "submission/smtpd",
            f"warning: a.example[192.0.2.1]: SASL PLAIN authentication failed: bad password "
            f"{number}, sasl_username={user}",
        )


def bounce_spam(place, user, count):
    for number in range(count):
        queue_id = f"E{user[0].upper()}{number:08X}".replace("G", "A").replace("H", "B")
        place.mail.sender(queue_id, user)
        place.mail.delivery(
            queue_id, f"to{number}@spam.example", "bounced", "5.7.1",
            "550 5.7.1 Message rejected as spam by content filtering",
        )


def test_suspends_by_what_it_finds_itself(place):
    """As many as it takes suspend, once; one less does not, and an operator's word stands."""
    fail_logins(place, "grace@example.test", 4)  # of which the third and fourth are too many
    fail_logins(place, "heidi@example.test", 3)
    bounce_spam(place, "gina@example.test", 3)
    bounce_spam(place, "hans@example.test", 2)
    for user, cause, hours in (
        ("grace@example.test", "account.login-failures", 12),
        ("gina@example.test", "destination.content", 2),
    ):
        event = place.feedback.log.wait(event="suspend", user=user, seconds=SECONDS)
        assert (event["cause"], event["window"]) == (cause, "10m")
        assert event["by"].startswith("sluice-feedback@")
        until = datetime.datetime.strptime(event["until"], "%Y-%m-%d %H:%M UTC")
        left = until - datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
        assert abs(left.total_seconds() - hours * 3600) < 120
        wait.poll(
            lambda user=user: place.ctl.run("suspended", user, check=False).returncode == 0,
            what="the suspension in the store",
        )
    for user in ("heidi@example.test", "hans@example.test"):
        assert place.ctl.run("suspended", user, check=False).returncode == 1
    with policy.Client(place.policy_socket) as client:
        sender = {"sasl_username": "gina@example.test", "sender": "gina@example.test"}
        said = client.ask(protocol_state="RCPT", recipient="bob@example.net", **sender)
    assert "5.7.13" in said and "account.suspended" in said
    place.ctl.run("suspend", "hans@example.test", "--reason", "abuse")
    bounce_spam(place, "hans@example.test", 6)
    bounce_spam(place, "gustav@example.test", 3)
    place.feedback.log.wait(event="suspend", user="gustav@example.test", seconds=SECONDS)
    assert len(place.feedback.log.events(event="suspend")) == 3


@proof.provokes("destination.login")
@proof.near_miss("destination.login")
def test_relayhost_refuses_login(place):
    """What is asked of us as a client is not mixed up with a recipient's refusal."""
    place.mail.sender("D000000001", "frank@example.test")
    place.mail.delivery(
        "D000000001", "x@example.net", "deferred", "4.7.8",
        "SASL authentication failed; server relay.example.net[192.0.2.9] said: "
        "535 5.7.8 Error: authentication failed: wrong password",
    )
    event = place.feedback.log.wait(
        event="delivery", queue_id="D000000001", cause="destination.login", seconds=SECONDS
    )
    assert (event["domain"], event["user"]) == ("example.net", "frank@example.test")
    assert "smtp_sasl_password_maps" in event["hint"]
    place.mail.sender("D000000002", "frank@example.test")
    place.mail.delivery(
        "D000000002", "y@example.net", "bounced", "5.1.1", "550 5.1.1 No such user"
    )
    event = place.feedback.log.wait(event="delivery", queue_id="D000000002", seconds=SECONDS)
    assert event["cause"] == "recipient.unknown"
