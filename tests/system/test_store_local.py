# SPDX-License-Identifier: BSD-2-Clause
"""One host without Redis: sluice-policyd has the store, and the others ask it."""

import time

import pytest

from support import counting, sluice, wait
from support.counting import Charger, Load, MilterCharger
from support.outage import more, states, wait_states

LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 10  per = 24h  near = 0 }
limit from { subject = sender-domain  count = messages  max = 100000  per = 24h  near = 0 }
"""
# What a crash may lose.
PROMISE_SEC = 1
NO_LIMIT = LIMITS.replace("max = 10 ", "max = 100000 ")


@pytest.fixture
def start(station, folder):
    def with_local(sections, **others):
        options = {"store": f'"local:{folder}/store.sock"', "store-timeout": "3s"}
        return station(
            sections=sections, options=options, resolver=False, parts=sluice.DAEMONS, **others
        )

    return with_local


def disk_states(daemon):
    return [event["state"] for event in daemon.log.events(event="store-disk")]


def test_all_programs_share_it(start):
    place = start(LIMITS)
    with Charger(place.policy_socket) as one, MilterCharger(place.milter_socket) as other:
        assert all(each.accepted for each in one.messages(5))
        assert all(each.accepted for each in other.messages(5))
        assert not one.message().accepted and not other.message().accepted
        # The same message, seen by both, is one.
        assert counting.used(place)["daily"] == 10
        place.ctl.run("reset", counting.SENDER)
        assert one.message(queue_id="BOTH").accepted
        assert other.message(queue_id="BOTH").accepted
        assert counting.used(place)["daily"] == 1
    status = place.ctl.run("status", "store").stdout
    assert "store.sock" in status and "sluice-policyd" in status
    assert not states(place.milter) and not states(place.policyd)
    # It is asked for at the start alone: a reload cannot make the socket.
    place.config.options["store"] = f'"local:{place.folder}/other.sock"'
    place.policyd.reload()
    failed = place.policyd.log.wait(event="reload-failed")
    assert "restart the daemon" in failed["problem"]


def test_killed_under_load(start):
    """What is older than a second is on disk; meanwhile the milter counts by itself."""
    place = start(NO_LIMIT)
    makers = [lambda: MilterCharger(place.milter_socket), lambda: Charger(place.policy_socket)]
    with Load(makers[:1]) as load:
        with Load(makers[1:]) as own:
            wait.poll(
                lambda: own.answers and time.monotonic() > own.answers[0].at + 2 * PROMISE_SEC,
                what="messages that are old enough",
            )
        killed = time.monotonic()
        place.policyd.kill()
        wait_states([place.milter], ["down"])
        more(load, 20)
        place.policyd.start()
        wait_states([place.milter], ["down", "up"])
        more(load, 20)
    answers = load.answers + own.answers
    assert all(each.accepted for each in answers)
    fresh = sum(killed - PROMISE_SEC < each.at < killed for each in answers)
    assert own.answers[0].at < killed - PROMISE_SEC, "some were older"
    used = counting.used(place)["daily"]
    assert len(answers) - fresh <= used <= len(answers)
    place.policyd.restart()
    assert counting.used(place)["daily"] == used


def test_a_disk_that_is_full(start):
    """Counting goes on; one line says that it is not on disk, and one that it is."""
    place = start(NO_LIMIT)
    [kept] = place.folder.rglob("store.lmdb")
    with Charger(place.policy_socket) as one:
        assert one.message().accepted
        wait.poll(lambda: kept.stat().st_size > 0, what="the file")
        place.policyd.limit_files(kept.stat().st_size)
        more_users = [one.message(user=f"u{number}@example.test") for number in range(5)]
        assert all(each.accepted for each in more_users)
        wait.poll(lambda: disk_states(place.policyd) == ["trouble"], what="the disk's state")
        place.policyd.limit_files(None)
        wait.poll(lambda: disk_states(place.policyd) == ["trouble", "saved"], what="the disk's state")
        assert counting.used(place)["daily"] == 1
    place.policyd.kill()
    place.policyd.start()
    assert counting.used(place, "user:u4@example.test")["daily"] == 1
    assert disk_states(place.policyd) == ["trouble", "saved"]
