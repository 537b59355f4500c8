# SPDX-License-Identifier: BSD-2-Clause
"""A store that goes away and comes back, as the daemons' logs and those who send see it."""

from . import logfile, wait
from .counting import Charger, MilterCharger


def store_lines(daemon):
    """What the daemon said of the store; of a log that may be long the rest is not looked at."""
    lines = [line for line in daemon.log.lines() if " cause=self.store-down " in line]
    return [event for event in map(logfile.parse_line, lines) if "state" in event]


def states(daemon):
    """"down" and "up", one line for the start of each outage and one for its end."""
    return [event["state"] for event in store_lines(daemon)]


def wait_state(daemon, state):
    """The first line that says so."""
    return wait.poll(
        lambda: next((event for event in store_lines(daemon) if event["state"] == state), None),
        what=f"the store {state}",
        on_timeout=daemon.describe,
    )


def wait_states(daemons, want):
    """Until each of them has said just this, and no more."""
    for daemon in daemons:
        wait.poll(
            lambda daemon=daemon: len(states(daemon)) >= len(want),
            what=f"the store {', '.join(want)}",
            on_timeout=daemon.describe,
        )
        assert states(daemon) == want, daemon.describe()


def senders(place, at_policy=3, at_milter=1):
    """Makers for counting.Load; none at the milter where there is none."""
    makers = [lambda n=n: Charger(place.policy_socket, f"P{n}.") for n in range(at_policy)]
    if place.milter in place.servers:
        makers += [lambda n=n: MilterCharger(place.milter_socket, f"M{n}.") for n in range(at_milter)]
    return makers


def more(load, count):
    """Until so many more messages were sent."""
    before = len(load.answers)
    wait.poll(lambda: len(load.answers) > before + count, what="more messages")
