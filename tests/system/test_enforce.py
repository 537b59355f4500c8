# SPDX-License-Identifier: BSD-2-Clause
"""Over from observing to enforcing, cause by cause: whom it would touch, and one cause enforced."""

import datetime
import gzip
import json
import os
import subprocess

import pytest

from support import site as site_module

DOMAIN = site_module.DOMAIN
OPTIONS = {"mode": "observe", "sender-login": '{"equal"}'}


@pytest.fixture(params=["text", "json"])
def place(request, site):
    return site(options={**OPTIONS, "log-format": request.param})


def preview(place, *words):
    done = place.ctl.run("enforce", "--preview", "--json", *words)
    return {row["cause"]: row for row in json.loads(done.stdout)["causes"]}


def test_preview(place, folder):
    """Two users, three messages to a domain that is not there, one sender of another's."""
    sent = [
        place.send("alice", ["carol@no-such.invalid"]),
        place.send("alice", ["carol@no-such.invalid", "dave@no-such.invalid"]),
        place.send("bob", ["carol@no-such.invalid"]),
        place.send("bob", ["carol@example.net"], sender=f"alice@{DOMAIN}"),
        place.send("bob", ["carol@example.net"]),
    ]
    for outcome in sent:
        assert outcome.accepted, outcome.refusal
        for daemon in (place.policyd, place.milter):
            daemon.log.wait(event="message", queue_id=outcome.queue_id)
    logs = [place.policyd.log.path, place.milter.log.path]
    rows = preview(place, "--since", "24h", *logs)
    absent = rows["dns.recipient-domain"]
    assert (absent["messages"], absent["users"], absent["action"]) == (3, 2, "reject")
    assert (rows["account.sender-mismatch"]["messages"], absent["mode"]) == (1, "observe")
    assert rows["account.sender-mismatch"]["users"] == 1
    assert "dns.dkim-missing" not in rows

    packed = folder / "log.1.gz"
    with gzip.open(packed, "wb") as file:
        file.write(b"".join(log.read_bytes() for log in logs))
    assert preview(place, packed) == rows
    # What the configuration says of an action counts, and what it does not touch is left out.
    place.config.sections += "\ncause dns.recipient-domain { action = log }\n"
    assert "dns.recipient-domain" not in preview(place, packed)
    text = place.ctl.run("enforce", "--preview", packed).stdout
    assert "5 messages were looked at" in text and "account.sender-mismatch  observe" in text


TOKYO = datetime.timezone(datetime.timedelta(hours=9))


def ago(hours):
    return datetime.datetime.now(TOKYO) - datetime.timedelta(hours=hours)


def iso(hours, offset=9):
    zone = datetime.timezone(datetime.timedelta(hours=offset))
    return ago(hours).astimezone(zone).isoformat(timespec="milliseconds")


def bsd(hours):
    """Without year and zone, as syslog has always written it: in the machine's own zone."""
    when = ago(hours)
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S}"


def records(number, user, cause, would="reject", **more):
    """A message's line and its cause's."""
    base = {"queue_id": f"M{number}", "trace": f"t{number}", **more}
    message = {"event": "message", "dir": "out", "user": user, "verdict": "accept"}
    return [
        {**message, **base},
        {"event": "cause", "cause": cause, "action": "log", "would": would, **base},
    ]


def text(record):
    fields = {name: value for name, value in record.items() if name != "queue_id"}
    fields = {"event": fields.pop("event"), **fields}
    return f"{record['queue_id']}: " + " ".join(f"{name}={value}" for name, value in fields.items())


GARBAGE = (
    "",
    "\0\xff\xfegarbage",
    '{"event": not JSON',
    "event=",
    "=====event",
    "x" * 300000 + " event=cause cause=dns.spf-fail trace=q",
    "M9: event=cause cause=no.such-cause trace=t9",
    "M9: event=cause cause=dns.spf-fail would=reject hint=\"cut off",
    "event=message event=message trace",
    "postfix/smtpd[1]: M9: client=event",
)


@pytest.fixture(scope="module")
def bare(module_site):
    """For logs that the tests write themselves."""
    return module_site(mta="none", parts=[], resolver=False)


@pytest.fixture
def written(folder):
    """Lines of all forms and many hours, from a machine in Tokyo: the names of two logs."""
    spf, ptr = "dns.spf-fail", "dns.ptr"
    lines = []
    for hours, head, number, user in (
        (1, f"{iso(1)} mx sluice-milter[1]: ", 1, "a@x.test"),
        (1, f"{iso(1)} mx sluice-policyd[2]: ", 1, "a@x.test"),
        (2, f"{iso(2, -5)} mx sluice-milter[1]: ", 2, "b@x.test"),
        (30, f"{iso(30)} mx sluice-milter[1]: ", 3, "c@x.test"),
        (3, f"{bsd(3)} mx sluice-milter[1]: ", 4, "d@x.test"),
        (23.9, f"{bsd(23.9)} mx sluice-milter[1]: ", 5, "d@x.test"),
        (24.1, f"{bsd(24.1)} mx sluice-milter[1]: ", 6, "e@x.test"),
        (4, f"<22>1 {iso(4, 0)} mx sluice-milter 1 - - ", 7, "a@x.test"),
        (5, None, 8, "f@x.test"),
        (50, None, 9, "g@x.test"),
    ):
        for record in reversed(records(number, user, spf)):
            if head is None:
                lines.append(json.dumps({"time": iso(hours, 0), "pid": 1, **record}))
            else:
                lines.append(head + text(record))
    # refuses nothing, and so touches nobody
    harmless = records(1, "a@x.test", ptr, "log")
    lines += [f"{iso(1)} mx sluice-milter[1]: {text(each)}" for each in harmless]
    lines[3:3] = GARBAGE
    plain, packed = folder / "mail.log", folder / "mail.log.1.gz"
    half = len(lines) // 2
    plain.write_bytes("\n".join(lines[:half]).encode("latin-1"))
    packed.write_bytes(gzip.compress("\n".join(lines[half:]).encode("latin-1")))
    return plain, packed


def preview_in_tokyo(bare, *words, stdin=None):
    done = subprocess.run(
        [*bare.ctl.words("enforce", "--preview", "--json"), *words],
        env={**os.environ, "TZ": "Asia/Tokyo"},
        capture_output=True,
        check=True,
        input=stdin,
    )
    found = json.loads(done.stdout)
    rows = {row["cause"]: (row["messages"], row["users"]) for row in found["causes"]}
    return found["messages"], rows


def test_lines_of_all_forms(bare, written):
    assert preview_in_tokyo(bare, *written) == (9, {"dns.spf-fail": (9, 7)})
    # Messages 1, 2, 4, 5, 7 and 8, of a, b, d and f.
    last_day = (6, {"dns.spf-fail": (6, 4)})
    assert preview_in_tokyo(bare, "--since", "24h", *written) == last_day
    everything = written[0].read_bytes() + b"\n" + gzip.decompress(written[1].read_bytes())
    assert preview_in_tokyo(bare, "--since", "24h", "-", stdin=everything) == last_day
    assert preview_in_tokyo(bare, "--since", "150m", *written) == (2, {"dns.spf-fail": (2, 2)})


def test_files_that_cannot_be_read(bare, written, folder):
    cut = folder / "cut.gz"
    cut.write_bytes(written[1].read_bytes()[:-20])
    for path, says in ((cut, "it ends in the middle"), (folder, "Is a directory")):
        done = bare.ctl.run("enforce", "--preview", path, check=False)
        assert done.returncode == 66 and f"cannot read {path}: {says}" in done.stderr
        assert done.stdout == ""


def test_one_cause_is_enforced(site):
    place = site(options=OPTIONS, sections="cause dns.recipient-domain { mode = enforce }\n")
    refusal = place.send("bob", ["carol@no-such.invalid"]).refusal
    assert str(refusal).startswith("550 5.1.2"), refusal
    observed = place.send("bob", ["carol@example.net"], sender=f"alice@{DOMAIN}")
    assert observed.accepted, observed.refusal
    event = place.milter.log.wait(cause="account.sender-mismatch", queue_id=observed.queue_id)
    assert (event["action"], event["would"]) == ("log", "reject")


def test_usage(site):
    place = site(mta="none", parts=[])
    for words, says in (
        (["x.log"], "expected --preview"),
        (["--preview"], "expected a log file"),
        (["--preview", "--since", "soon", "x.log"], "--since: expected a time"),
    ):
        done = place.ctl.run("enforce", *words, check=False)
        assert done.returncode == 64 and says in done.stderr
    missing = place.ctl.run("enforce", "--preview", "/nowhere/x.log", check=False)
    assert missing.returncode == 66 and "cannot open /nowhere/x.log" in missing.stderr
