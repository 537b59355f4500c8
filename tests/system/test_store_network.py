# SPDX-License-Identifier: BSD-2-Clause
"""What lies between the daemons and their Redis: TLS, a network that loses, clocks that differ."""

import datetime
import pathlib
import re
import subprocess

import pytest

from support import counting, logfile, policy, ports, preload, process, proxy, redis, sluice, wait
from support.counting import SENDER, Charger, Load, MilterCharger

TIMEOUT_SEC = 0.3
LONGEST_SEC = 2 * TIMEOUT_SEC + 0.3
LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
"""
AHEAD_SEC = 300
CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "stunnel"


def store_lines(daemon):
    lines = [line for line in daemon.log.lines() if " cause=self.store-down " in line]
    return [event for event in map(logfile.parse_line, lines) if "state" in event]


def states(daemon):
    return [event["state"] for event in store_lines(daemon)]


def more(load, count):
    before = len(load.answers)
    wait.poll(lambda: len(load.answers) > before + count, seconds=30, what="more messages")


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
    makers = [lambda n=n: Charger(place.policy_socket, f"P{n}.") for n in range(3)]
    makers.append(lambda: MilterCharger(place.milter_socket, "M."))
    with Load(makers) as load:
        more(load, 100)
        network.set(mode)
        for daemon in (place.policyd, place.milter):
            wait.poll(lambda daemon=daemon: states(daemon) == ["down"], seconds=30)
        known = len(load.answers) + 10
        more(load, 100)
        away = load.since(known)
        network.set(proxy.PASS)
        for daemon in (place.policyd, place.milter):
            wait.poll(lambda daemon=daemon: states(daemon) == ["down", "up"], seconds=40)
        more(load, 20)
    assert load.accepted == len(load.answers)
    assert max(load.since(0)) < LONGEST_SEC
    counting.assert_nobody_waits(away, TIMEOUT_SEC)
    assert counting.used(place)["daily"] == load.accepted
    assert [event["lost"] for event in store_lines(place.policyd)[1:]] == ["0"]


# --- clocks


def lines_of(daemon):
    """The first line's words."""
    return next(iter(daemon.log.lines())).split()


def test_clocks_five_minutes_apart(station, run, folder):
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
    env = {**preload.environment(folder, "clock"), "WALL_OFFSET": AHEAD_SEC}
    config = sluice.Config(second, options, place.config.sections)
    ahead = run(
        sluice.Daemon("sluice-policyd", second, config, [second / "policy.sock"], env=env)
    )
    started = [daemon.log.wait(event="started") for daemon in (place.policyd, ahead)]
    times = [datetime.datetime.fromisoformat(lines_of(d)[0]) for d in (place.policyd, ahead)]
    assert AHEAD_SEC - 60 < (times[1] - times[0]).total_seconds() < AHEAD_SEC + 60, started
    with Charger(place.policy_socket) as one, Charger(second / "policy.sock") as other:
        assert all(each.accepted for _ in range(40) for each in (one.message(), other.message()))
        place.redis.kill()
        for daemon in (place.policyd, ahead):
            wait.poll(lambda daemon=daemon: states(daemon) == ["down"], seconds=30)
        assert all(each.accepted for _ in range(40) for each in (one.message(), other.message()))
        place.redis.start()
        for daemon in (place.policyd, ahead):
            wait.poll(lambda daemon=daemon: states(daemon) == ["down", "up"], seconds=40)
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
        # It is in Redis' socket when the next request, which needs no store, is answered.
        with policy.Client(place.policy_socket) as other:
            assert other.ask(protocol_state="CONNECT") == "DUNNO"
        place.policyd.kill()
        assert mta.answer() is None
    place.redis.thaw()
    wait.poll(lambda: counting.used(place)["daily"] == 2, what="the charge of who died")
    place.policyd.start()
    with policy.Client(place.policy_socket) as mta:
        assert mta.ask(**last) == "DUNNO"
    assert counting.used(place)["daily"] == 2


# --- TLS


class Tunnel(process.Server):
    """stunnel with the configuration in contrib, whose places are others here."""

    def __init__(self, folder, target, authority, name):
        self.port = ports.free_port()
        self.folder = folder
        self._places = {
            "accept": f"127.0.0.1:{self.port}",
            "connect": f"127.0.0.1:{target}",
            "CAfile": authority,
            "checkHost": name,
        }

    def start(self):
        text = (CONTRIB / "sluice-redis.conf").read_text()
        for key, value in self._places.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
            assert count == 1, key
        path = self.folder / "stunnel.conf"
        path.write_text(text)
        self._process = process.Process("stunnel", ["stunnel4", path], self.folder)
        self._process.start().wait_ready(lambda: ports.listens(self.port))
        return self


@pytest.fixture
def tls(run, folder):
    """A Redis that speaks nothing else, and its certificate."""
    key, certificate = folder / "redis.key", folder / "redis.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-days", "2", "-subj", "/CN=redis.example.test",
         "-addext", "subjectAltName=DNS:redis.example.test", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    port = ports.free_port()
    more_lines = [f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                  "tls-auth-clients no", f"tls-ca-cert-file {certificate}"]  # fmt: skip
    run(redis.Redis(folder, name="tls", more=more_lines))
    return port, certificate


@pytest.mark.parametrize("name", ["redis.example.test", "other.example.test"])
def test_through_stunnel(station, run, folder, tls, name):
    """As contrib has it; and a Redis with another name is none."""
    port, certificate = tls
    tunnel = run(Tunnel(folder, port, certificate, name))
    options = {"store": f'"redis://127.0.0.1:{tunnel.port}"', "store-timeout": "1s"}
    place = station(sections=LIMITS, options=options, resolver=False)
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(10))
    if name == "redis.example.test":
        assert counting.used(place)["daily"] == 10 and not states(place.policyd)
    else:
        assert "down" in states(place.policyd)
        lines = place.policyd.log.events(event="message", user=SENDER)
        assert {line["store"] for line in lines} == {"local"}
