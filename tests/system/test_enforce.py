# SPDX-License-Identifier: BSD-2-Clause
"""Over from observing to enforcing, cause by cause: whom it would touch, and one cause enforced."""

import gzip
import json

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
