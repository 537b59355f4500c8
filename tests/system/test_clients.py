# SPDX-License-Identifier: BSD-2-Clause
"""Clients that misbehave: MTAs that go away, strangers, crowds."""

import itertools
import pathlib
import socket

import pytest

from support import counting, milter, policy, sluice, wait
from support.counting import RECIPIENT, SENDER, Charger, Load, MilterCharger

QUIET = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
"""


@pytest.fixture
def quiet(station):
    """Both daemons, Redis, no resolver."""
    return lambda: station(sections=QUIET, resolver=False, parts=sluice.DAEMONS)


def at_policy(place, label="P"):
    return Charger(place.policy_socket, label)


def at_milter(place, label="M"):
    return MilterCharger(place.milter_socket, label)


def descriptors(pid):
    return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))


STAGES = ["connect", "mail", "rcpt", "data", "header", "body"]


def go_until(mta, stage, queue_id):
    steps = {
        "connect": mta.connect,
        "mail": lambda: mta.mail(SENDER, login=SENDER),
        "rcpt": lambda: mta.rcpt(RECIPIENT, queue_id),
        "data": lambda: mta.data(queue_id),
        "header": lambda: mta.header("From", SENDER),
        "body": lambda: mta.body(b"Hello.\r\n"),
    }
    for step in STAGES[: STAGES.index(stage) + 1]:
        assert steps[step]().passes


def test_mtas_that_go_away(quiet):
    """At every stage, many of them; what the policy daemon had charged is given back."""
    place = quiet()
    with at_milter(place) as one:
        assert one.message(queue_id="first").accepted
        before = descriptors(place.milter.pid)
        for stage in STAGES:
            for number in range(10):
                queue_id = f"{stage}{number}"
                if stage in ("data", "header", "body"):
                    with at_policy(place) as other:
                        assert other.message(queue_id=queue_id).accepted
                with milter.Client(place.milter_socket) as mta:
                    go_until(mta, stage, queue_id)
        # While the milter waits for the store, too.
        place.redis.freeze()
        for number in range(10):
            with milter.Client(place.milter_socket) as mta:
                go_until(mta, "connect", "late")
                mta.mail(SENDER, login=SENDER)
                mta.rcpt(RECIPIENT, f"late{number}", wait=False)
        place.redis.thaw()
        # Without hearing what was said at the end: the message may have been accepted, so it
        # counts.
        for number in range(5):
            with milter.Client(place.milter_socket) as mta:
                go_until(mta, "body", f"end{number}")
                mta.end(f"end{number}", wait=False)
                place.milter.log.wait(event="message", queue_id=f"end{number}")
        wait.poll(lambda: counting.used(place)["daily"] == 6, what="the others given back")
        wait.poll(lambda: descriptors(place.milter.pid) <= before, what="the connections closed")
        assert one.message(queue_id="last").accepted


def resident_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


GARBAGE = [b"\0" * 64, b"\xff" * 64, b"GET / HTTP/1.0\r\n\r\n", b"\0\0\0\x05Dabc", b"\0\0\0\1Z"]


def test_strangers_do_not_disturb(quiet):
    """Garbage, stalled and slow clients beside mail that goes on."""
    place = quiet()
    held = []
    makers = [lambda: at_policy(place), lambda: at_milter(place)]
    with Load(makers) as load:
        for path, octets in itertools.product((place.policy_socket, place.milter_socket), GARBAGE):
            stranger = socket.socket(socket.AF_UNIX)
            stranger.connect(str(path))
            stranger.sendall(octets)
            held.append(stranger)
        stalled = [policy.Client(place.policy_socket) for _ in range(50)]
        stalled_mtas = [milter.Client(place.milter_socket) for _ in range(20)]
        for client in stalled:
            client.send(policy.request()[:100])
        for mta in stalled_mtas:
            go_until(mta, "rcpt", None)
        with policy.Client(place.policy_socket) as slow:
            for octet in policy.request():
                slow.send(bytes([octet]))
            assert slow.answer() == "DUNNO"
        seen = len(load.answers)
        wait.poll(lambda: len(load.answers) > seen + 100, what="mail beside them")
    assert load.accepted == len(load.answers)
    counting.assert_nobody_waits(load.since(0), 1.0)
    for each in held + [client.socket for client in stalled]:
        each.close()
    for mta in stalled_mtas:
        mta.hang_up()


def test_a_thousand_idle_connections_are_small(station, many_descriptors):
    """The counters in memory; with Redis it is no more."""
    place = station(
        sections=QUIET, resolver=False, options={"store": '"memory:"'}, parts=["sluice-policyd"]
    )
    held = []
    try:
        for number in range(1000):
            held.append(policy.Client(place.policy_socket))
            assert held[-1].message(f"Q{number}", sasl_username=f"u{number}@example.test")
        resident = resident_kib(place.policyd.pid)
        if not sluice.is_sanitized():
            assert resident < 20 * 1024
    finally:
        for each in held:
            each.close()
