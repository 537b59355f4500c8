# SPDX-License-Identifier: BSD-2-Clause
"""The resolver fails: mail goes on, nobody waits longer than dns-timeout, and nobody at all once it
is known.
"""

import concurrent.futures
import itertools
import signal

import pytest

from support import counting, nameserver, noise, policy, ports, preload, proof, sluice, wait
from support.counting import Charger, Load, MilterCharger

TIMEOUT_SEC = 0.25
LONGEST_SEC = 3 * TIMEOUT_SEC
FORGOTTEN_SEC = 5  # after so long any failure is


@pytest.fixture
def station(station):
    """With Redis, a resolver and little time for it."""

    def start(options=None, **others):
        time = {"dns-timeout": f"{int(TIMEOUT_SEC * 1000)}ms"}
        return station(options={**time, **(options or {})}, **others)

    return start


def failures(daemon, **wanted):
    return daemon.log.events(event="cause", cause="dns.failure", **wanted)


def resolver(*servers):
    return {"resolver": "{" + ", ".join(f'"{server.resolver}"' for server in servers) + "}"}


def seconds(answers):
    return [answer.seconds for answer in answers]


def finds_absent(place, queue_id):
    """The check works: a recipient whose domain does not exist is refused."""
    with policy.Client(place.policy_socket) as client:
        return client.ask(instance=queue_id, recipient="x@absent.test").startswith("550 5.1.2 ")


def learn(connect):
    """Messages about ten domains at once: by now it is known that nobody answers; the answers."""

    def send(number):
        with connect() as one:
            return one.message(user=f"u@example{number}.test", queue_id=f"L{number}")

    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(send, range(10)))
    # A last one that waits for nothing: was it the resolver, or were those domains dead?
    return answers + [send(10)]


def assert_known(connect):
    """Nobody waits, not even those for whom nothing is remembered."""
    with connect() as one:
        answers = [one.message(user=f"u@later{number}.test") for number in range(100)]
    assert all(each.accepted for each in answers)
    counting.assert_nobody_waits(seconds(answers), TIMEOUT_SEC)


@pytest.mark.parametrize("daemon", sluice.DAEMONS)
def test_black_hole(station, run, daemon):
    hole = run(nameserver.BlackHole())
    place = station(resolver(hole), parts=[daemon])
    at_policy = daemon == "sluice-policyd"
    server = place.policyd if at_policy else place.milter

    def connect():
        if at_policy:
            return Charger(place.policy_socket)
        return MilterCharger(place.milter_socket)

    with connect() as one:
        # The sender's domain and the recipient's are asked at once, and that there was no answer is
        # remembered for the message's later stages.
        first = one.message()
    assert TIMEOUT_SEC * 0.8 < first.seconds and first.accepted
    noise.assert_within([first.seconds], LONGEST_SEC)
    assert hole.questions() >= 2
    noise.assert_within(seconds(learn(connect)), LONGEST_SEC)
    # Once a second it is tried, without anybody waiting for that.
    with Load([connect], user="user@later.test") as load:
        wait.poll(lambda: hole.questions() and len(load.answers) > 100, what="messages, and a try")
    counting.assert_nobody_waits(seconds(load.answers), TIMEOUT_SEC)
    assert load.accepted == len(load.answers)
    assert_known(connect)
    found = failures(server)[0]
    assert found["problem"] == "timed out" and "resolver" in found["hint"]
    wait.poll(
        lambda: any("the resolver does not answer" in each["problem"] for each in failures(server)),
        what="the resolver said to be away",
        on_timeout=server.describe,
    )


def test_nobody_at_the_port(station):
    """A wrong port in the configuration."""
    port = ports.free_port()
    place = station({"resolver": f'{{"127.0.0.1@{port}"}}'})

    def connect():
        return Charger(place.policy_socket)

    noise.assert_within(seconds(learn(connect)), LONGEST_SEC)
    assert_known(connect)
    done = place.ctl.run("status", "resolver", check=False)
    assert done.returncode == 1 and str(port) in done.stdout and "correct resolver" in done.stdout


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_away_and_back(station, how):
    place = station()

    def connect():
        return Charger(place.policy_socket)

    wait.poll(lambda: finds_absent(place, "before"), what="the check works")
    (place.dns.pause if how == "frozen" else place.dns.stop)()
    answers = learn(connect)
    noise.assert_within(seconds(answers), LONGEST_SEC)
    assert all(each.accepted for each in answers)
    assert_known(connect)
    (place.dns.resume if how == "frozen" else place.dns.start)()
    wait.poll(lambda: finds_absent(place, "after"), what="the check works again")
    if how == "killed":
        return  # what was refused is remembered for some seconds as any failure is
    numbers = itertools.cycle(range(10))
    with connect() as one:
        # Sooner than any failure is forgotten; a machine that is busy may cause another one.
        wait.poll(
            lambda: one.message(user=f"u@example{next(numbers)}.test").words.startswith("550 5.1.8 "),
            FORGOTTEN_SEC - 1,
            "the time-outs forgotten",
            place.policyd.describe,
        )


def test_the_second_resolver(station, run, folder):
    """One that is dead costs a part of the time, and the check is made all the same."""
    hole = run(nameserver.BlackHole())
    place = station(parts=[])
    place.config.options.update(resolver(hole, place.dns), **{"dns-timeout": "2s"})
    run(place.policyd)
    wait.poll(lambda: finds_absent(place, "one"), what="the check works")
    with Charger(place.policy_socket) as one:
        answers = one.messages(20)
        assert all(each.accepted for each in answers)
        noise.assert_within(seconds(answers), 2)
        counting.assert_nobody_waits(seconds(answers[1:]), TIMEOUT_SEC)
    assert not failures(place.policyd)


def test_servfail(station):
    """A zone that is broken is neither there nor absent; the rest of the world is not concerned."""
    place = station({"dns-timeout": "6s"}, zones={"gone.test": None})
    with policy.Client(place.policy_socket) as client:
        assert client.message("Q1", ["x@gone.test"]) == ["DUNNO", "DUNNO"]
        found = place.policyd.log.wait(event="cause", cause="dns.failure")
        assert (found["domain"], found["problem"]) == ("gone.test", "SERVFAIL")
        assert found["action"] == "log" and "gone.test" in found["hint"]
        assert client.ask(instance="2", recipient="x@absent.test").startswith("550 5.1.2 ")


def test_many_recipients_wait_together(station, run):
    """All lookups of a message have one deadline."""
    hole = run(nameserver.BlackHole())
    place = station(resolver(hole), parts=["sluice-milter"])
    with MilterCharger(place.milter_socket) as one:
        mta = one.mta
        mta.mail("user@example.test", login="user@example.test")
        answers = [wait.timed(lambda n=n: mta.rcpt(f"x@r{n}.test", "MANY")) for n in range(4)]
        assert all(reply.passes for reply, _ in answers)
        noise.assert_within([each for _, each in answers], LONGEST_SEC)
        mta.data("MANY")
        mta.header("From", "user@example.test")
        mta.body(b"Hello.\r\n")
        reply, took = wait.timed(lambda: mta.end("MANY"))
        assert reply.passes
        noise.assert_within([took], LONGEST_SEC)


@pytest.fixture
def hurried_clock(folder):
    """(environment, hurry): a daemon started in this environment takes hurry(seconds) for gone."""
    offset = folder / "clock"
    offset.write_bytes(bytes(8))
    environment = {**preload.environment(folder, "clock"), "CLOCK_OFFSET": offset}

    def hurry(seconds):
        # Not written anew: the daemon has it mapped.
        with open(offset, "r+b") as file:
            file.write(seconds.to_bytes(8, "little"))

    return environment, hurry


@proof.provokes("self.dns-slow")
@proof.near_miss("self.dns-slow")
def test_said_once_a_minute(station, run, hurried_clock):
    environment, hurry = hurried_clock
    hole = run(nameserver.BlackHole())
    place = station(resolver(hole), env=environment)
    # The first minute begins with the first tick.
    hurry(61)
    learn(lambda: Charger(place.policy_socket))
    assert not place.policyd.log.events(cause="self.dns-slow")
    hurry(125)
    said = place.policyd.log.wait(cause="self.dns-slow")
    assert int(said["timeouts"]) >= 10 and int(said["lookups"]) >= int(said["timeouts"])
    assert said["window"] == "60" and "resolver" in said["hint"]
    hurry(190)
    place.policyd.signal(signal.SIGHUP)
    place.policyd.log.wait(event="reloaded")
    assert len(place.policyd.log.events(cause="self.dns-slow")) == 1
