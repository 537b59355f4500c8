# SPDX-License-Identifier: BSD-2-Clause
"""What lies between the daemons and their Redis: a network that loses, clocks that differ."""

import datetime
import time

import pytest

from support import counting, noise, policy, preload, proxy, redis, sluice, wait
from support.counting import Charger, Load
from support.outage import more, senders, store_lines, wait_states

TIMEOUT_SEC = 1.0  # a Redis that is there needs less, also on a machine that is busy
LONGEST_SEC = 2 * TIMEOUT_SEC + 0.3
LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
"""
FIVE_MINUTES = 300


# --- a network that loses


@pytest.mark.parametrize("mode", [proxy.LOSE_ANSWERS, proxy.LOSE_ALL])
def test_a_network_that_loses(station, run, folder, mode):
    """Answers that are lost are charges that were made: they are not made twice."""
    server = run(redis.Redis(folder, name="behind"))
    network = run(proxy.Proxy(server.socket))
    options = {
        "store": f'"redis://127.0.0.1:{network.port}"',
        "store-timeout": f"{int(TIMEOUT_SEC * 1000)}ms",
    }
    place = station(sections=LIMITS, options=options, resolver=False, parts=sluice.DAEMONS)
    with Load(senders(place)) as load:
        more(load, 100)
        network.set(mode)
        wait_states(place.daemons, ["down"])
        known_at = time.monotonic()
        more(load, 100)
        away = load.begun_after(known_at)
        network.set(proxy.PASS)
        wait_states(place.daemons, ["down", "up"])
        more(load, 20)
    assert load.accepted == len(load.answers)
    noise.assert_within(load.since(0), LONGEST_SEC)
    counting.assert_nobody_waits(away, TIMEOUT_SEC)
    assert counting.used(place)["daily"] == load.accepted
    assert [event["lost"] for event in store_lines(place.policyd)[1:]] == ["0"]


# --- clocks


def lines_of(daemon):
    """The first line's words."""
    return next(iter(daemon.log.lines())).split()


@pytest.mark.parametrize("apart", [FIVE_MINUTES, -FIVE_MINUTES])
def test_clocks_five_minutes_apart(station, run, folder, apart):
    """Time is the store's: neither the limit nor the journals mind."""
    place = station(
        sections=LIMITS.replace("max = 100000  per = 24h", "max = 200  per = 2m"),
        resolver=False,
        durable=True,
    )
    second = folder / "second"
    second.mkdir()
    options = {
        **place.config.options,
        "hostname": "mx2.example.test",
        "policy-listen": f'{{"unix:{second}/policy.sock"}}',
        "state-directory": f'"{second}"',
    }
    env = {**preload.environment(folder, "clock"), "WALL_OFFSET": apart}
    config = sluice.Config(second, options, place.config.sections)
    other_host = run(
        sluice.Daemon("sluice-policyd", second, config, [second / "policy.sock"], env=env)
    )
    started = [daemon.log.wait(event="started") for daemon in (place.policyd, other_host)]
    times = [datetime.datetime.fromisoformat(lines_of(d)[0]) for d in (place.policyd, other_host)]
    assert abs((times[1] - times[0]).total_seconds() - apart) < 60, started
    with Charger(place.policy_socket) as one, Charger(second / "policy.sock") as other:
        assert all(each.accepted for _ in range(40) for each in (one.message(), other.message()))
        place.redis.kill()
        wait_states([place.policyd, other_host], ["down"])
        assert all(each.accepted for _ in range(40) for each in (one.message(), other.message()))
        place.redis.start()
        wait_states([place.policyd, other_host], ["down", "up"])
        assert counting.used(place)["daily"] == 160
        answers = [each for _ in range(30) for each in (one.message(), other.message())]
    assert sum(each.accepted for each in answers) == 40
    assert counting.used(place)["daily"] == 200


# --- a daemon that dies


def test_killed_in_the_middle_of_a_message(station):
    """Redis had charged it, the daemon had not said so: the MTA asks again, and it counts once."""
    place = station(sections=LIMITS, options={"store-timeout": "20s"}, resolver=False)
    with Charger(place.policy_socket) as one:
        assert one.message().accepted
    last = {"protocol_state": "END-OF-MESSAGE", "queue_id": "MID", "recipient_count": 1}
    place.redis.freeze()
    with policy.Client(place.policy_socket) as mta:
        mta.send(policy.request(**last))
        # It is in Redis' socket when other requests, which need no store, are answered: the first
        # may be read together with it, and is answered before anything is written.
        with policy.Client(place.policy_socket) as other:
            assert [other.ask(protocol_state="CONNECT") for _ in range(5)] == ["DUNNO"] * 5
        place.policyd.kill()
        assert mta.answer() is None
    place.redis.thaw()
    wait.poll(lambda: counting.used(place)["daily"] == 2, what="the charge of who died")
    place.policyd.start()
    with policy.Client(place.policy_socket) as mta:
        assert mta.ask(**last) == "DUNNO"
    assert counting.used(place)["daily"] == 2
    assert not store_lines(place.policyd)
