# SPDX-License-Identifier: BSD-2-Clause
"""Limits that are tried in the shadow, days' allowances of what is warmed up, and mail that no limit
stops.
"""

import datetime
import gzip
import json

import pytest

from support import policy, proof
from support.counting import NO_DNS

YESTERDAY = datetime.datetime.now(datetime.timezone.utc).date() - datetime.timedelta(days=1)
SECTIONS = f"""
limit live {{ subject = user  count = messages  max = 3  per = 1h  near = 0 }}
limit tried {{ subject = user  count = messages  max = 1  per = 1h  near = 0  shadow = yes }}
limit inside {{ subject = client  count = messages  max = 1  per = 1h  near = 0 }}
limit outside {{ subject = user  count = external-recipients  max = 4  per = 1h  near = 0 }}
limit data {{ subject = user  count = bytes  max = 1M  per = 7d  near = 0 }}
class servers {{ members = {{"192.0.2.0/24"}}  limit inside {{ max = unlimited }} }}
warmup warm.test {{ start = {YESTERDAY}  first = 1  growth = 2  ceiling = 2  near = 0 }}
warmup "198.51.100.9" {{ start = {YESTERDAY}  first = 1  growth = 1  ceiling = 1  near = 0
    destination = {{slow.test, .slow.test}}  count = recipients }}
warmup "198.51.100.77" {{ start = {YESTERDAY}  first = 1  ceiling = 1 }}
{NO_DNS}
"""


@pytest.fixture(name="place", scope="module")
def fixture_place(module_site):
    options = {
        "sender-login": "domain",
        "outgoing-addresses": '{"198.51.100.9"}',
        "internal-networks": '{"127.0.0.0/8"}',
        "local-domains": "{example.test, warm.test}",
    }
    return module_site(mta="none", options=options, sections=SECTIONS, resolver=False)


def send(place, queue_id, user, recipients=("x@example.net",), **attributes):
    """The last answer to one message of that user."""
    with policy.Client(place.policy_socket) as client:
        return client.message(
            queue_id, list(recipients), **{"sasl_username": user, "sender": user, **attributes}
        )[-1]


def plan(place, title):
    told = json.loads(place.ctl.run("warmup", "--json").stdout)["warmups"]
    return next(row for row in told if row["warmup"] == title)


def test_a_shadow_limit_is_told_and_does_nothing(place):
    log = place.policyd.log
    answers = [send(place, f"SHADOW{n}", "shady@example.test") for n in range(4)]
    assert answers[:3] == ["DUNNO"] * 3
    assert answers[3].startswith("450 4.7.28 ") and "3 messages" in answers[3], answers[3]
    line = log.wait(event="message", queue_id="SHADOW1")
    assert (line["verdict"], line["would"]) == ("accept", "defer")
    line = log.wait(event="cause", queue_id="SHADOW1", limit="tried")
    assert (line["action"], line["would"], line["shadow"]) == ("log", "defer", "yes")
    assert (line["used"], line["max"]) == ("2", "1")
    assert "would" not in log.wait(event="message", queue_id="SHADOW0")


@proof.provokes("limit.warmup")
@proof.near_miss("limit.warmup")
def test_a_domain_is_warmed_up(place):
    answers = [send(place, f"WARM{n}", f"u{n}@warm.test") for n in range(3)]
    assert answers[:2] == ["DUNNO"] * 2
    assert answers[2].startswith("450 4.7.28 Our mail server sends slowly"), answers[2]
    assert "2 of 2 messages in 24 hours" in answers[2] and "[limit.warmup]" in answers[2]
    assert place.policyd.log.wait(event="cause", cause="limit.warmup")["action"] == "defer"
    assert send(place, "COLD", "u@example.test") == "DUNNO"
    # What stays inside does not use it up.
    assert send(place, "INSIDE", "u9@warm.test", ["x@example.test"]) == "DUNNO"
    told = plan(place, "warm.test")
    assert (told["day"], told["allowance"], told["used"]) == (2, 2, 2)
    assert [day["allowance"] for day in told["plan"]] == [1, 2]
    assert "used up" in told["projection"]
    text = place.ctl.run("warmup", "warm.test").stdout
    assert "used in the last 24 hours: 2 (100%)" in text, text


def test_an_address_is_warmed_up_for_a_destination(place):
    # The allowance is one recipient: of two only the second is refused, and other mail goes on.
    with policy.Client(place.policy_socket) as client, policy.Client(place.policy_socket) as other:
        common = {"instance": "dest.1", "sasl_username": "d@example.test", "sender": "d@example.test"}
        late = {"instance": "dest.9", "sasl_username": "l@example.test", "sender": "l@example.test"}
        assert other.ask(recipient="z@slow.test", **late) == "DUNNO"
        assert client.ask(recipient="a@slow.test", **common) == "DUNNO"
        refused = client.ask(recipient="b@mx.slow.test", **common)
        assert refused.startswith("450 4.7.28 ") and "to slow.test" in refused, refused
        assert client.ask(recipient="c@fast.test", **common) == "DUNNO"
        end = {"protocol_state": "END-OF-MESSAGE", "queue_id": "DEST1", "recipient_count": 2}
        assert client.ask(recipient="", **common, **end) == "DUNNO"
        # Now it is used up, which is no matter of a recipient elsewhere.
        assert other.ask(recipient="c@fast.test", **late) == "DUNNO"
        assert other.ask(recipient="y@slow.test", **late).startswith("450 4.7.28 ")
    assert send(place, "DEST2", "e@example.test", ["a@slow.test"]).startswith("450 4.7.28 ")
    assert send(place, "DEST3", "e@example.test", ["a@fast.test"]) == "DUNNO"
    line = place.policyd.log.wait(
        event="cause", limit="198.51.100.9/slow.test,.slow.test"
    )
    assert line["subject"] == "warmup:198.51.100.9/slow.test,.slow.test"
    assert plan(place, "198.51.100.9/slow.test,.slow.test")["used"] == 1
    assert plan(place, "198.51.100.77")["here"] is False


def test_bounces_and_postmaster_are_never_refused(place):
    inside = {"client_address": "127.0.0.1"}
    answers = [send(place, f"LOCAL{n}", "", sender="www@example.test", **inside) for n in range(2)]
    assert answers[0] == "DUNNO" and answers[1].startswith("450 4.7.28"), answers
    assert send(place, "BOUNCE", "", sender="", **inside).split()[0] in ("DUNNO", "PREPEND")
    passes = send(place, "POST1", "", sender="Postmaster@example.test", **inside)
    assert passes.split()[0] in ("DUNNO", "PREPEND"), passes
    # Not in a name that is not ours, nor in that of a login that is another's.
    assert send(place, "POST2", "", sender="postmaster@example.net", **inside).startswith("450 ")
    for n in range(3):
        send(place, f"POSER{n}", "poser@example.test", sender="postmaster@example.test")
    posed = send(place, "POSER3", "poser@example.test", sender="postmaster@example.test")
    assert posed.startswith("450 "), posed


def test_no_warm_up_is_an_answer(place):
    assert place.ctl.run("warmup", "other.test", check=False).returncode == 1


@proof.provokes("limit.external-recipients")
@proof.near_miss("limit.external-recipients")
def test_recipients_elsewhere(place):
    ours = [f"x{n}@example.test" for n in range(9)]
    assert send(place, "EXT1", "ext@example.test", [*ours, "a@x.test", "b@x.test"]) == "DUNNO"
    refused = send(place, "EXT2", "ext@example.test", [f"{n}@x.test" for n in range(3)])
    assert refused.startswith("450 4.7.28 ") and "4 external recipients" in refused, refused
    line = place.policyd.log.wait(event="cause", cause="limit.external-recipients")
    # Of the three to others two still fitted.
    assert (line["used"], line["max"]) == ("4", "4")
    assert "has used 4 of 4 external recipients" in refused
    assert send(place, "EXT3", "ext@example.test", [*ours, "a@x.test", "b@x.test"]) == "DUNNO"


@proof.provokes("limit.bytes")
@proof.near_miss("limit.bytes")
def test_bytes(place):
    assert send(place, "BYTES1", "big@example.test", size=600000) == "DUNNO"
    refused = send(place, "BYTES2", "big@example.test", size=600000)
    assert refused.startswith("450 4.7.28 ") and "in 7 days" in refused, refused
    line = place.policyd.log.wait(event="cause", cause="limit.bytes")
    assert (line["used"], line["max"], line["window"]) == ("600000", "1048576", "604800")
    assert send(place, "BYTES3", "big@example.test", size=400000) == "DUNNO"


def replay(place, *words):
    return json.loads(place.ctl.run("replay", "--json", *words).stdout)


def test_proposed_limits_are_tried_on_the_past(place):
    user = "user:past@example.test"
    for n in range(4):
        send(place, f"PAST{n}", "past@example.test", ["a@x.test", "b@example.test"], size=1000)
    place.policyd.log.wait(event="message", user="past@example.test", verdict="defer")
    log = place.policyd.log.path
    proposal = place.folder / "new.conf"
    proposal.write_text(
        "local-domains = {example.test}\n"
        "limit few { count = messages  max = 1  per = 1h }\n"
        "limit elsewhere { count = external-recipients  max = 3  per = 24h }\n"
        "limit size { count = bytes  max = 2500  per = 24h  shadow = yes }\n"
    )
    told = place.ctl.run("replay", "--config", proposal, log)
    [row] = [row for row in map(str.split, told.stdout.splitlines()) if row[:2] == [user, "few"]]
    assert row[2] == "2" and row[-1] == "defer", row
    rows = {row["limit"]: row for row in replay(place, "-c", proposal, log)["stops"] if row["subject"] == user}
    # The fourth message was refused, so it was not sent; one recipient of each is our own.
    assert {name: row["times"] for name, row in rows.items()} == {"few": 2}
    packed = place.folder / "old.log.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert replay(place, "-c", proposal, packed) == replay(place, "-c", proposal, log)
    # A message that is told of twice counts once.
    twice = replay(place, "-c", proposal, log, packed)["stops"]
    assert {row["limit"]: row["times"] for row in twice if row["subject"] == user} == {"few": 2}
    assert place.ctl.run("replay", place.folder / "none", check=False).returncode == 66


def line(second, trace, **fields):
    stamp = f"2026-03-01T10:00:{second:02}.000000+00:00 mx1 sluice-milter[7]:"
    shown = {"dir": "out", "user": "a@ours.test", "from": "a@ours.test", "nrcpt": 1, "size": 900,
             "client": "192.0.2.9", "verdict": "accept", "trace": trace, **fields}
    return f"{stamp} Q{trace}: event=message " + " ".join(f"{key}={value}" for key, value in shown.items())


def tried(place, limits, lines):
    """What replay says of these limits and lines: (its answer, {limit: [(subject, times, recipients)]}, complaints)."""
    proposal, log = place.folder / "tried.conf", place.folder / "tried.log"
    proposal.write_text(limits)
    log.write_text("\n".join(lines) + "\n")
    done = place.ctl.run("replay", "--json", "-c", proposal, log)
    told, rows = json.loads(done.stdout), {}
    for row in told["stops"]:
        rows.setdefault(row["limit"], []).append((row["subject"], row["times"], row["recipients"]))
    return told, rows, done.stderr


NAMED = [
    line(1, 1, nrcpt=3, rcpts="a@x.test,b@x.test,c@y.test", helo="pc.ours.test"),
    line(2, 2, nrcpt=3, rcpts="a+t@x.test,d@x.test,e@ours.test", external=2, helo="PC.ours.test"),
    line(3, 3, nrcpt=2, rcpts="A@x.test,f@z.test", helo="other.test"),
]


@pytest.mark.parametrize(
    ("limit", "want", "stopped"),
    [
        # Of the second message only d is one too many, and of the third A.
        ("subject = recipient-domain  count = recipients  max = 3", [("recipient-domain:x.test", 2, 2)], 0),
        ("subject = recipient  count = messages  max = 1", [("recipient:a@x.test", 2, 2)], 0),
        ("subject = user  count = distinct-recipients  max = 5", [("user:a@ours.test", 1, 1)], 0),
        ("subject = helo  count = messages  max = 1", [("helo:pc.ours.test", 1, 3)], 1),
        ("subject = sender-domain  count = messages  max = 2", [("sender-domain:ours.test", 1, 2)], 1),
        ("subject = client-network  count = bytes  max = 2000", [("client-network:192.0.2.0/24", 1, 2)], 1),
        ("subject = host  count = messages  max = 2", [("host:mx1", 1, 2)], 1),
        ("subject = everything  count = messages  max = 2", [("all:*", 1, 2)], 1),
        # Without local-domains it is the line that says who is elsewhere.
        ("subject = user  count = external-recipients  max = 5", [("user:a@ours.test", 1, 2)], 1),
    ],
)
def test_every_subject_is_tried(place, limit, want, stopped):
    told, rows, complaints = tried(place, f"limit l {{ {limit}  per = 1h  near = 0 }}\n", NAMED)
    assert rows == {"l": want}, rows
    assert told["stopped"] == stopped and complaints == ""


def test_what_a_line_does_not_tell(place):
    limits = """
    limit domains { subject = recipient-domain  count = recipients  max = 50  per = 1h  near = 0 }
    limit people { subject = recipient  count = messages  max = 1  per = 1h  near = 0 }
    limit names { subject = helo  count = messages  max = 1  per = 1h  near = 0 }
    limit users { count = recipients  max = 130  per = 1h  near = 0 }
    """
    old = line(1, 1, nrcpt=60)
    large = [line(n, n, nrcpt=60, **{"rcpt-domains": "x.test:50,y.test:10", "helo": "h.test"}) for n in (2, 3)]
    told, rows, complaints = tried(place, limits, [old, *large])
    assert rows["domains"] == [("recipient-domain:x.test", 1, 50)]
    assert "people" not in rows and rows["names"] == [("helo:h.test", 1, 60)]
    assert "limit people is not tried on 3 of 3 lines: they do not tell all recipients\n" in complaints
    assert "limit domains is not tried on 1 of 3 lines" in complaints
    assert "limit names is not tried on 1 of 3 lines: they do not tell the name in HELO" in complaints
    assert "users" not in complaints and told["stopped"] == 1
    # What no line of ours says harms nothing.
    odd = [line(1, 1, nrcpt=-5, external=-7, **{"rcpt-domains": "x.test:999999999999,:,x:-3,:9"}),
           line(2, 2, nrcpt=999999999999, external=999999999999, rcpts=",,@,a@,")]
    assert tried(place, limits, odd)[0]["messages"] == 2


def test_lines_tell_what_replay_needs(place):
    user = "told@example.test"
    many = [f"n{n}@{('example', 'warm')[n % 2]}.test" for n in range(40)]
    assert send(place, "TOLD1", user, ["a@x.test", "b@y.test"], helo_name="pc.test") == "DUNNO"
    assert send(place, "TOLD2", "many@example.test", many, helo_name="h" * 200).split()[0] in ("DUNNO", "PREPEND")
    log = place.policyd.log
    first, second = (log.wait(event="message", queue_id=name) for name in ("TOLD1", "TOLD2"))
    assert (first["rcpts"], first["helo"]) == ("a@x.test,b@y.test", "pc.test")
    assert second["rcpt-domains"] == "example.test:20,warm.test:20" and "rcpts" not in second
    assert "helo" not in second
