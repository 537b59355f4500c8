# SPDX-License-Identifier: BSD-2-Clause
"""Limits that only part of a message's recipients reach."""

import re

import pytest

from support import counting, milter, policy, proof, sluice

SECTIONS = """
limit domains { subject = recipient-domain  count = recipients  max = 3  per = 1h  near = 0 }
limit people { subject = recipient  count = messages  max = 2  per = 1h  near = 0 }
limit hosts { subject = host  count = recipients  max = 1000  per = 1h  near = 0 }
limit names { subject = helo  count = messages  max = 100  per = 1h  near = 0 }
"""
SPREAD = "limit spread { subject = sender  count = distinct-recipients  max = 3  per = 1h  near = 0 }\n"
NET, WORLD = "example.net", "address.test"


@pytest.fixture
def place(site):
    return site(sections=SECTIONS)


def rcpt(*names):
    return [f"{name}@{domain}" for domain, name in names]


@proof.provokes("limit.recipients")
@proof.near_miss("limit.recipients")
def test_the_others_go_on(place):
    """At RCPT those of the domain that has had enough are refused."""
    assert place.send("alice", rcpt((NET, "a"), (NET, "b"))).accepted
    assert counting.used(place, f"recipient-domain:{NET}") == {"domains": 2}
    outcome = place.send("alice", rcpt((WORLD, "a"), (NET, "c"), (NET, "d"), (WORLD, "b")))
    assert outcome.accepted
    replies = {address: reply.code for address, reply in outcome.rcpt.items()}
    assert replies == {f"a@{WORLD}": 250, f"c@{NET}": 250, f"d@{NET}": 450, f"b@{WORLD}": 250}
    # The two of before, and the one that was taken just now.
    refusal = str(outcome.rcpt[f"d@{NET}"])
    assert f"Mail to {NET} has used 3 of 3 recipients in 1 hour, with the recipients of this message so far" in refusal
    assert re.search("It can go out in (6[01] minutes|1 hour)[.]", refusal), refusal
    line = place.policyd.log.wait(event="cause", cause="limit.recipients")
    assert line["subject"] == f"recipient-domain:{NET}"
    assert (line["used"], line["max"], line["reply"]) == ("3", "3", "450 4.7.28")
    number = 1 + next(n for n, text in enumerate(place.config.path.read_text().splitlines()) if "limit domains" in text)
    assert f"raise max (now 3) of limit domains ({place.config.path}:{number})" in line["hint"]
    assert place.policyd.log.wait(event="message", stage="rcpt", rcpt=f"d@{NET}")["used"] == "3/3"
    assert counting.used(place, f"recipient-domain:{NET}") == {"domains": 3}
    assert counting.used(place, f"recipient-domain:{WORLD}") == {"domains": 2}
    assert "helo" not in place.ctl.run("limits", "helo:localhost").stderr


def test_one_recipient(place):
    """Others of the same message and domain are not concerned."""
    for _ in range(2):
        assert place.send("alice", rcpt((WORLD, "a"))).accepted
    outcome = place.send("alice", rcpt((WORLD, "A+tag"), (NET, "b")))
    assert [reply.code for reply in outcome.rcpt.values()] == [450, 250]
    assert counting.used(place, f"recipient:a@{WORLD}") == {"people": 2}


@proof.provokes("limit.recipients")
@proof.near_miss("limit.recipients")
def test_different_recipients(station):
    """Who was written to before costs nothing; who was not is one too many."""
    place = station(sections=counting.NO_DNS + SPREAD, resolver=False)
    known = rcpt((NET, "a"), (WORLD, "b"), (NET, "c"))
    with policy.Client(place.policy_socket) as client:
        assert client.message("Q1", known) == ["DUNNO"] * 4
        for number in range(2, 5):
            assert client.message(f"Q{number}", [*known, known[0]]) == ["DUNNO"] * 5
        assert counting.used(place, f"sender:{counting.SENDER}") == {"spread": 3}
        *_, said = client.message("Q5", [known[1], f"d@{NET}"])
    assert said.startswith("450 4.7.28 ") and said.endswith("[limit.recipients]")
    assert "3 of 3 different recipients in 1 hour" in said
    line = place.policyd.log.wait(event="cause", cause="limit.recipients", limit="spread")
    assert (line["used"], line["max"]) == ("3", "3")


@proof.provokes("limit.recipients")
def test_at_the_end_of_the_message(station):
    """Two messages that both looked before either was counted: the second is deferred whole, and the log says
    which domain it was.
    """
    place = station(sections=counting.NO_DNS + SECTIONS, resolver=False, parts=sluice.DAEMONS)
    recipients = rcpt((WORLD, "a"), (NET, "b"), (NET, "c"))
    common = {"recipient": "", "recipient_count": "3"}
    with policy.Client(place.policy_socket) as one, policy.Client(place.policy_socket) as other:
        for client, instance in ((one, "i1"), (other, "i2")):
            for recipient in recipients:
                assert client.ask(protocol_state="RCPT", recipient=recipient, instance=instance) == "DUNNO"
        assert one.ask(protocol_state="END-OF-MESSAGE", queue_id="Q1", instance="i1", **common) == "DUNNO"
        # That one of its domains is full by now is no matter of a recipient elsewhere.
        assert other.ask(protocol_state="RCPT", recipient=f"d@{WORLD}", instance="i2") == "DUNNO"
        said = other.ask(protocol_state="END-OF-MESSAGE", queue_id="Q2", instance="i2", **common)
    assert said.startswith("450 4.7.28 ") and NET in said and said.endswith("[limit.recipients]")
    line = place.policyd.log.wait(event="cause", cause="limit.recipients", queue_id="Q2")
    assert line["subject"] == f"recipient-domain:{NET}"
    # All or none: what fitted was not counted either.
    assert counting.used(place, f"recipient-domain:{WORLD}") == {"domains": 1}
    assert counting.used(place, f"recipient-domain:{NET}") == {"domains": 2}
    with milter.Client(place.milter_socket) as mta:
        mta.connect()
        mta.mail(counting.SENDER, login=counting.SENDER)
        assert mta.rcpt(f"x@{WORLD}", "Q3").passes
        reply = mta.rcpt(f"y@{NET}", "Q3")
        assert reply.passes
        refused = mta.rcpt(f"z@{NET}", "Q3")
        assert "450" in str(refused) and NET in str(refused)
