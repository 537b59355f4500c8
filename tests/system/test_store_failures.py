# SPDX-License-Identifier: BSD-2-Clause
"""The store fails in every way that Redis knows: mail goes on, nobody waits for long, nothing is
forgotten.
"""

import signal
import time

import pytest

from support import counting, milter, nameserver, noise, outage, policy, resp, sluice, wait
from support.counting import SENDER, Charger, Load, MilterCharger
from support.outage import more, states, store_lines, wait_state, wait_states

TIMEOUT_SEC = 1.0  # a Redis that is there needs less, also on a machine that is busy
# RCPT and END-OF-MESSAGE ask the store once each.
LONGEST_SEC = 2 * TIMEOUT_SEC + 0.3
FROZEN_SEC = 10
LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 10  per = 24h  near = 0 }
limit rcpts { subject = user  count = recipients  max = 100000  per = 24h  near = 0 }
"""
NO_LIMIT = LIMITS.replace("max = 10 ", "max = 100000 ")


@pytest.fixture
def station(station):
    """With Redis, little time for it, and no resolver."""

    def start(sections=LIMITS, options=None, **others):
        time = {"store-timeout": f"{int(TIMEOUT_SEC * 1000)}ms"}
        options = {**time, **(options or {})}
        return station(sections=sections, options=options, resolver=False, **others)

    return start


def charger(place, label="Q"):
    return Charger(place.policy_socket, label)


def senders(place):
    return outage.senders(place, at_policy=4, at_milter=2)


BOTH = {"parts": sluice.DAEMONS, "sections": NO_LIMIT}


# --- Redis dies


def test_killed_under_load(station):
    place = station(**BOTH, durable=True)
    with Load(senders(place)) as load:
        more(load, 200)
        place.redis.kill()
        for daemon in (place.policyd, place.milter):
            wait_state(daemon, "down")
        known, known_at = len(load.answers), time.monotonic()
        wait.poll(lambda: len(load.answers) > known + 500, what="messages while Redis is away")
        away = load.begun_after(known_at)
        place.redis.start()
        ups = [wait_state(daemon, "up") for daemon in (place.policyd, place.milter)]
        wait.poll(lambda: len(load.answers) > known + 800, what="messages afterwards")
    assert load.accepted == len(load.answers)
    noise.assert_within(load.since(0), LONGEST_SEC)
    counting.assert_nobody_waits(away, TIMEOUT_SEC)
    assert counting.used(place)["daily"] == load.accepted
    for daemon, up in zip((place.policyd, place.milter), ups):
        assert states(daemon) == ["down", "up"]
        assert int(up["replayed"]) > 50 and up["lost"] == "0"


def test_frozen(station):
    """It takes everything and answers nothing, then all of it at once."""
    place = station(**BOTH)
    with Load(senders(place)) as load:
        more(load, 200)
        before = len(load.answers)
        place.redis.freeze()
        frozen = time.monotonic()
        downs = [wait_state(daemon, "down") for daemon in (place.policyd, place.milter)]
        known_at = time.monotonic()
        wait.poll(lambda: time.monotonic() > frozen + FROZEN_SEC, what="ten seconds")
        away = load.begun_after(known_at)
        noise.assert_within(load.since(before), LONGEST_SEC)
        place.redis.thaw()
        ups = [wait_state(daemon, "up") for daemon in (place.policyd, place.milter)]
    assert load.accepted == len(load.answers)
    counting.assert_nobody_waits(away, TIMEOUT_SEC)
    assert all("gives no answer within 1000 ms" in down["problem"] for down in downs)
    assert all(FROZEN_SEC - 2 * TIMEOUT_SEC - 1 < float(up["down-for"]) < FROZEN_SEC + 60 for up in ups)
    assert counting.used(place)["daily"] == load.accepted
    assert states(place.policyd) == states(place.milter) == ["down", "up"]


def test_again_and_again(station):
    place = station(NO_LIMIT, durable=True)
    with Load(senders(place)) as load:
        for times in range(1, 4):
            more(load, 100)
            place.redis.kill()
            wait.poll(lambda: states(place.policyd) == ["down", "up"] * (times - 1) + ["down"])
            place.redis.start()
            wait.poll(lambda: states(place.policyd) == ["down", "up"] * times)
    assert counting.used(place)["daily"] == load.accepted == len(load.answers)


def test_absent_at_the_start(station):
    place = station(durable=True)
    place.policyd.stop()  # before it can say that Redis is gone
    place.redis.kill()
    place.policyd.log.mark()
    place.policyd.start()
    with charger(place) as one:
        answers = one.messages(11)
        assert [each.accepted for each in answers] == [True] * 10 + [False]
        assert "[limit.messages]" in answers[-1].words
        counting.assert_nobody_waits([each.seconds for each in answers[1:]], TIMEOUT_SEC)
        lines = place.policyd.log.events(event="message", verdict="accept")
        assert len(lines) == 10 and {line["store"] for line in lines} == {"local"}
        place.redis.start()
        assert wait_state(place.policyd, "up")["replayed"] == "10"
        assert counting.used(place)["daily"] == 10
        assert not one.message().accepted
    assert states(place.policyd) == ["down", "up"]


def test_an_address_where_nobody_answers(station, run):
    """As a firewall that drops, or a host that hangs."""
    hole = run(nameserver.BlackHole())
    place = station(options={"store": f'"redis://127.0.0.1:{hole.port}"'})
    with charger(place) as one:
        first = one.message()
        assert first.accepted
        noise.assert_within([first.seconds], LONGEST_SEC)
        wait_state(place.policyd, "down")
        rest = one.messages(9)
        assert all(each.accepted for each in rest)
        counting.assert_nobody_waits([each.seconds for each in rest], TIMEOUT_SEC)
        assert not one.message().accepted
    assert states(place.policyd) == ["down"]


# --- Redis is there, and refuses

ACL = "sluice on >secret ~sluice:* +@all -@dangerous"  # as the advice about NOPERM has it


def call(place, *words, **options):
    with place.redis.client(**options) as client:
        return client.call(*words)


REFUSALS = {
    "no-password": (
        {},
        lambda place: call(place, "CONFIG", "SET", "requirepass", "other", password=None),
        "set store-password-file",
        lambda place: call(place, "CONFIG", "SET", "requirepass", "", password="other"),
    ),
    "wrong-password": (
        {"password": "secret"},
        lambda place: call(place, "CONFIG", "SET", "requirepass", "other"),
        "compare store-user and store-password-file",
        lambda place: call(place, "CONFIG", "SET", "requirepass", "secret", password="other"),
    ),
    "user-without-rights": (
        {"acl": [ACL]},
        lambda place: call(place, "ACL", "SETUSER", "sluice", "-eval", "-evalsha"),
        "ACL SETUSER",
        lambda place: call(place, "ACL", "SETUSER", "sluice", "+eval", "+evalsha"),
    ),
    "user-without-the-keys": (
        {"acl": [ACL]},
        lambda place: call(place, "ACL", "SETUSER", "sluice", "resetkeys", "~other:*"),
        "ACL SETUSER",
        lambda place: call(place, "ACL", "SETUSER", "sluice", "~sluice:*"),
    ),
    "out-of-memory": (
        {},
        lambda place: call(place, "CONFIG", "SET", "maxmemory", "1"),
        "raise maxmemory",
        lambda place: call(place, "CONFIG", "SET", "maxmemory", "0"),
    ),
    "replica": (
        {},
        lambda place: call(place, "REPLICAOF", "127.0.0.1", "1"),
        "point store at the primary",
        lambda place: call(place, "REPLICAOF", "NO", "ONE"),
    ),
    "no-such-database": (
        {"database": 99},
        lambda place: None,
        "there is no such database",
        None,
    ),
}


def refusing_options(options, secret):
    settings = {}
    if "acl" in options:
        settings["store-user"] = "sluice"
    if "acl" in options or "password" in options:
        settings["store-password-file"] = f'"{secret}"'
    if "database" in options:
        settings["store-database"] = options["database"]
    return settings


@pytest.mark.parametrize("name", REFUSALS)
def test_refused(station, secret, name):
    """Said with what to do about it; the charges made meanwhile are handed in when it is mended."""
    options, breaks, advice, mends = REFUSALS[name]
    server = {key: value for key, value in options.items() if key != "database"}
    place = station(durable=True, store=server, options=refusing_options(options, secret))
    if "password" in name:
        # What is logged in stays logged in; what was slow to log in says so, and does not count.
        breaks(place)
        place.policyd.stop()
        place.policyd.log.mark()
        place.policyd.start()
        place.redis.password = "other"
    with charger(place) as one:
        if "password" not in name and mends is not None:
            assert all(each.accepted for each in one.messages(4))
            assert not store_lines(place.policyd)
            breaks(place)
        answers = one.messages(4)
        down = wait_state(place.policyd, "down")
        assert advice in down["problem"], down
        assert all(each.accepted for each in answers)
        noise.assert_within([each.seconds for each in answers], LONGEST_SEC)
        assert states(place.policyd) == ["down"]
        if mends is None:
            return
        mends(place)
        place.redis.password = options.get("password")
        up = wait_state(place.policyd, "up")
        assert (up["lost"], states(place.policyd)) == ("0", ["down", "up"])
        rest = 6 if "password" in name else 2
        assert counting.used(place)["daily"] == 10 - rest
        assert [each.accepted for each in one.messages(rest + 1)] == [True] * rest + [False]


def test_another_script_that_does_not_end(station):
    """Silence first, then BUSY, until somebody ends it."""
    place = station(NO_LIMIT)
    call(place, "CONFIG", "SET", "lua-time-limit", "50")
    with charger(place) as one, place.redis.client() as hog:
        assert one.message().accepted
        hog.send("EVAL", "while true do end", "0")
        answers = one.messages(5)
        assert all(each.accepted for each in answers)
        noise.assert_within([each.seconds for each in answers], LONGEST_SEC)
        wait_state(place.policyd, "down")
        counting.assert_nobody_waits([each.seconds for each in one.messages(50)], TIMEOUT_SEC)
        call(place, "SCRIPT", "KILL")
        with pytest.raises(resp.ReplyError):
            hog.receive()
        wait_state(place.policyd, "up")
        assert counting.used(place)["daily"] == 56
        assert states(place.policyd) == ["down", "up"]


def test_the_script_is_flushed_in_mid_stream(station):
    place = station(**BOTH)
    with Load(senders(place)) as load:
        for _ in range(30):
            more(load, 15)
            call(place, "SCRIPT", "FLUSH")
    assert load.accepted == len(load.answers) == counting.used(place)["daily"]
    assert not store_lines(place.policyd) and not store_lines(place.milter)


def test_a_key_of_another_kind(station):
    """Somebody else wrote where one user's use is kept: it is that user's trouble alone."""
    place = station()
    call(place, "SET", f"sluice:{{user:{SENDER}}}:use", "junk")
    with charger(place) as one:
        assert all(each.accepted for each in one.messages(3))
        # Said within a moment, in which a busy machine may have two of them or one.
        wait.poll(
            lambda: sum(int(line["lost"]) for line in store_lines(place.policyd)) == 3,
            what="what is lost",
            on_timeout=place.policyd.describe,
        )
        lines = store_lines(place.policyd)
        assert all(line["state"] == "up" for line in lines)
        assert all("sluicectl reset" in line["hint"] for line in lines)
        place.ctl.run("reset", SENDER)
        assert one.message().accepted and counting.used(place)["daily"] == 1
        others = one.messages(11, user="carol@example.test")
        assert [each.accepted for each in others] == [True] * 10 + [False]
        counting.assert_nobody_waits([each.seconds for each in others], TIMEOUT_SEC)
    assert store_lines(place.policyd) == lines, "what is lost is said at once, and once"


# --- what is done meanwhile


def test_local_limits_hold(station):
    """From what was known before: seven and three are ten."""
    place = station(durable=True)
    with charger(place) as one:
        assert all(each.accepted for each in one.messages(7))
        place.redis.kill()
        answers = one.messages(5)
        assert [each.accepted for each in answers] == [True] * 3 + [False] * 2
        place.redis.start()
        wait_states([place.policyd], ["down", "up"])
        assert counting.used(place)["daily"] == 10
        assert not one.message().accepted


def test_accept(station):
    """Nothing is limited while the store is away, and what passed is counted when it is back."""
    place = station(options={"store-failure": "accept"}, durable=True)
    with charger(place) as one:
        place.redis.kill()
        answers = one.messages(15)
        assert all(each.accepted for each in answers)
        counting.assert_nobody_waits([each.seconds for each in answers], TIMEOUT_SEC)
        lines = place.policyd.log.events(event="message")
        assert {line["store"] for line in lines} == {"away"}
        place.redis.start()
        wait_states([place.policyd], ["down", "up"])
        assert "mail passes without limits" in store_lines(place.policyd)[0]["hint"]
        assert counting.used(place)["daily"] == 15
        assert not one.message().accepted


def test_defer(station):
    place = station(
        options={"store-failure": "defer"}, durable=True, parts=sluice.DAEMONS
    )
    with charger(place) as one, MilterCharger(place.milter_socket) as other:
        assert one.message().accepted and other.message().accepted
        place.redis.kill()
        for answer in one.messages(3):
            assert answer.words.startswith("451 4.3.0 ") and "[self.store-down]" in answer.words
        for answer in other.messages(3):
            assert answer.words.startswith("reply 451 4.3.0 "), answer
        inbound = one.message(user="", client_address="203.0.113.7")
        assert inbound.accepted, "only our own people's mail is counted"
        place.redis.start()
        wait_states(place.daemons, ["down", "up"])
        assert all("mail is put off" in store_lines(each)[0]["hint"] for each in place.daemons)
        assert one.message().accepted and other.message().accepted
    assert counting.used(place)["daily"] == 4


def test_the_journal_is_full(station):
    place = station(options={"store-journal-size": "5"}, durable=True)
    with charger(place) as one:
        place.redis.kill()
        answers = one.messages(11)
        assert [each.accepted for each in answers] == [True] * 10 + [False], "limits hold still"
        place.redis.start()
        up = wait_state(place.policyd, "up")
        assert (up["replayed"], up["lost"]) == ("5", "5")
        assert "store-journal-size" in up["hint"]
        assert counting.used(place)["daily"] == 5
    assert states(place.policyd) == ["down", "up"]


@pytest.mark.parametrize("last", sluice.DAEMONS)
def test_given_back_while_away(station, last):
    """Charged in one daemon's journal, given back in the other's: in whichever order they come."""
    place = station(durable=True, parts=sluice.DAEMONS)
    place.redis.kill()
    with charger(place) as one:
        assert all(one.message(queue_id=f"BOTH{n}").accepted for n in range(6))
    # The two daemons' ideas of the store's clock may be some milliseconds apart.
    charged = time.monotonic()
    wait.poll(lambda: time.monotonic() > charged + 0.2, what="some time between")
    with milter.Client(place.milter_socket) as mta:
        mta.connect()
        for number in range(6):
            mta.mail(SENDER, login=SENDER)
            assert mta.rcpt(counting.RECIPIENT, queue_id=f"BOTH{number}").passes
            mta.data(f"BOTH{number}")
            mta.abort()
        # One that stays, behind the others in the milter's journal.
        assert mta.message("ALONE", SENDER, [counting.RECIPIENT], login=SENDER).passes
    first, second = sorted(place.daemons, key=lambda daemon: daemon.name == last)
    second.signal(signal.SIGSTOP)
    place.redis.start()
    wait_state(first, "up")
    second.signal(signal.SIGCONT)
    wait_states(place.daemons, ["down", "up"])
    assert counting.used(place)["daily"] == 1


def test_requests_that_carry_no_queue_id(station):
    """A charge whose answer is lost must not be made twice, even where the message has no name."""
    place = station(NO_LIMIT)
    with policy.Client(place.policy_socket) as client:
        place.redis.freeze()
        for _ in range(5):
            end = {"protocol_state": "END-OF-MESSAGE", "recipient_count": 1}
            assert client.ask(instance="", **end) == "DUNNO"
        wait_state(place.policyd, "down")
        place.redis.thaw()
        wait_states([place.policyd], ["down", "up"])
    assert counting.used(place)["daily"] == 5


# --- restarts


def test_killed_while_redis_is_away(station):
    """The journal's file has it all."""
    place = station(durable=True)
    with charger(place, "A") as one:
        assert all(each.accepted for each in one.messages(2))
        place.redis.kill()
        assert all(each.accepted for each in one.messages(4))
    place.policyd.kill()
    place.policyd.log.mark()
    place.policyd.start()
    with charger(place, "B") as one:
        # What Redis alone knows is not known now; what is in the journal is.
        answers = one.messages(7)
        assert [each.accepted for each in answers] == [True] * 6 + [False]
        wait_state(place.policyd, "down")
        place.redis.start()
        assert wait_state(place.policyd, "up")["replayed"] == "10"
    assert counting.used(place)["daily"] == 12
    assert states(place.policyd) == ["down", "up"]


def test_the_journal_of_a_daemon_that_was_killed_is_handed_in(station):
    place = station(durable=True)
    place.redis.kill()
    with charger(place) as one:
        assert all(each.accepted for each in one.messages(4))
    place.policyd.kill()
    place.redis.start()
    place.policyd.start()
    wait.poll(lambda: counting.used(place)["daily"] == 4, what="the journal handed in")
    place.policyd.restart()
    assert counting.used(place)["daily"] == 4, "and once only"


def test_daemons_restart_in_mid_stream(station):
    """What one has charged the other knows, whoever was restarted in between."""
    place = station(parts=sluice.DAEMONS)
    for number, stop in enumerate(("stop", "kill")):
        with charger(place, f"R{number}.") as one:
            answers = one.messages(2)
        assert all(each.accepted for each in answers)
        for daemon in (place.policyd, place.milter):
            getattr(daemon, stop)()
            daemon.start()
        with MilterCharger(place.milter_socket) as other:
            assert all(other.message(queue_id=each.queue_id).accepted for each in answers)
    assert counting.used(place)["daily"] == 4
