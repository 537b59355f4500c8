# SPDX-License-Identifier: BSD-2-Clause
"""sluice-policyd and its operator: sockets, exit codes, privileges, reload and drain."""

import grp
import pwd
import signal
import socket
import stat

import pytest
from support import policy, ports
from support import policyd as policyd_module

BAD = "bob@example..net"


@pytest.fixture
def policyd(run, folder):
    """Start the daemon: policyd(options={...}, sections=...)."""
    return lambda *words, **options: run(policyd_module.Policyd(folder, *words, **options))


@pytest.fixture
def make_policyd(folder):
    """The same, not started."""
    return lambda *words, **options: policyd_module.Policyd(folder, *words, **options)


# --- sockets


def test_socket_mode_and_group(policyd):
    group = grp.getgrall()[-1]
    daemon = policyd({"policy-socket-mode": "0620", "policy-socket-group": f'"{group.gr_name}"'})
    status = daemon.socket.stat()
    assert stat.S_IMODE(status.st_mode) == 0o620
    assert status.st_gid == group.gr_gid


def test_privileges_are_dropped_and_the_socket_goes_with_them(policyd, folder):
    nobody = pwd.getpwnam("nobody")
    # A folder that is missing is made, and belongs to the user as well.
    daemon = policyd({"user": "nobody"}, socket=folder / "nobody/policy.sock")
    with daemon.client() as one:
        assert one.ask() == "DUNNO"
    assert daemon.status("Uid") == nobody.pw_uid
    assert daemon.socket.stat().st_uid == nobody.pw_uid
    daemon.stop()
    assert not daemon.socket.exists()


def test_unix_and_inet_at_once(policyd):
    daemon = policyd()
    with policy.Client(daemon.socket) as local, policy.Client(daemon.port) as inet:
        # DATA may come over another connection than RCPT.
        assert local.ask(instance="7", recipient="a@example.net") == "DUNNO"
        assert inet.ask(instance="7", recipient="b@example.net") == "DUNNO"
        inet.ask(instance="7", protocol_state="DATA", recipient="", queue_id="Q7")
    assert daemon.log.wait(event="message", queue_id="Q7")["nrcpt"] == "2"


def test_a_stale_socket_is_replaced(policyd):
    daemon = policyd()
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    with daemon.client() as one:
        assert one.ask() == "DUNNO"


def test_a_live_socket_is_not(policyd, folder, make_policyd):
    daemon = policyd()
    second = make_policyd({"policy-listen": f'{{"unix:{daemon.socket}"}}'})
    code, output = second.run()
    assert code == 69 and str(daemon.socket) in output and "Address already in use" in output
    with daemon.client() as one:
        assert one.ask() == "DUNNO"


def test_a_file_is_not_a_stale_socket(folder, make_policyd):
    path = folder / "precious"
    path.write_text("data")
    code, output = make_policyd({"policy-listen": f'{{"unix:{path}"}}'}).run()
    assert code == 69 and "File exists" in output
    assert path.read_text() == "data"


def test_exit_codes(folder, make_policyd):
    taken = ports.free_port()
    with socket.create_server((ports.LOOPBACK, taken)):
        listen = f'{{"inet:127.0.0.1:{taken}"}}'
        code, output = make_policyd({"policy-listen": listen}).run()
        assert code == 69 and f"inet:127.0.0.1:{taken}: " in output
    code, output = make_policyd({"mode": "enfroce"}).run()
    assert code == 78 and "enforce" in output
    code, output = make_policyd({"policy-listen": f'{{"unix:{folder}/no/such/p.sock"}}'}).run()
    assert code == 69
    code, output = make_policyd({"policy-socket-group": "no-such-group"}).run()
    assert code in (69, 78) and "no-such-group" in output


# --- signals


def test_reload_keeps_connections_and_takes_new_settings(policyd, folder):
    daemon = policyd()
    second, port = folder / "second.sock", ports.free_port()
    with daemon.client() as one, policy.Client(daemon.port) as inet:
        assert one.ask(recipient=BAD).startswith("501 ")
        daemon.config.options["mode"] = "observe"
        daemon.config.options["policy-listen"] = f'{{"unix:{daemon.socket}", "unix:{second}", "inet:127.0.0.1:{port}"}}'
        daemon.config.options["policy-socket-mode"] = "0600"
        inode = daemon.socket.stat().st_ino
        daemon.reload()
        daemon.log.wait(event="reloaded")
        assert one.ask(instance="2", recipient=BAD) == "DUNNO"
        # What was accepted by a socket that is gone is still served.
        assert inet.ask(instance="3", recipient=BAD) == "DUNNO"
        assert not ports.listens(daemon.port)
        for endpoint in (daemon.socket, second, port):
            with policy.Client(endpoint) as new:
                assert new.ask() == "DUNNO"
        assert daemon.socket.stat().st_ino == inode
        assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o600


def test_reload_to_another_address_at_the_same_port(policyd):
    daemon = policyd()
    daemon.config.options["policy-listen"] = f'{{"unix:{daemon.socket}", "inet:*:{daemon.port}"}}'
    daemon.reload()
    daemon.log.wait(event="reloaded")
    with policy.Client(daemon.port) as one:
        assert one.ask() == "DUNNO"
    assert not daemon.log.events(event="listen-failed")


def test_a_bad_reload_changes_nothing(policyd):
    daemon = policyd()
    with daemon.client() as one:
        daemon.config.options["mode"] = "enfroce"
        daemon.reload()
        daemon.log.wait(event="reload-failed")
        assert one.ask(recipient=BAD).startswith("501 ")
        # A socket that cannot be opened is said, and the rest of the configuration holds.
        daemon.config.options["mode"] = "observe"
        taken = ports.free_port()
        with socket.create_server((ports.LOOPBACK, taken)):
            daemon.config.options["policy-listen"] = f'{{"unix:{daemon.socket}", "inet:127.0.0.1:{taken}"}}'
            daemon.reload()
            event = daemon.log.wait(event="listen-failed")
        assert str(taken) in event["problem"]
        assert one.ask(instance="2", recipient=BAD) == "DUNNO"
        with daemon.client() as new:
            assert new.ask() == "DUNNO"


def test_drain_closes_what_is_idle(policyd):
    daemon = policyd()
    with daemon.client() as one, daemon.client() as other:
        assert one.ask() == "DUNNO"
        assert other.ask() == "DUNNO"
        process = daemon.process
        process.signal(signal.SIGTERM)
        assert one.answer() is None and other.answer() is None
        assert process.wait_exit() == 0
    assert not daemon.socket.exists()


def test_drain_finishes_what_is_in_hand(policyd, make_redis):
    redis = make_redis()
    daemon = policyd(
        {"store": f'"unix:{redis.socket}"', "store-timeout": "2s"},
        "limit daily { subject = user count = messages max = 5 per = 24h }\n",
    )
    with daemon.client() as one, daemon.client() as idle:
        assert one.ask() == "DUNNO"
        redis.freeze()
        one.send(policy.request(instance="2"))
        # It has read the request before it gets the signal, which a connection made after it shows.
        with daemon.client() as witness:
            assert witness.ask(protocol_state="EHLO") == "DUNNO"
        process = daemon.process
        process.signal(signal.SIGTERM)
        assert idle.answer() is None
        assert one.answer() == "DUNNO"
        assert one.answer() is None
        assert process.wait_exit() == 0
    redis.thaw()


def test_drain_does_not_wait_for_ever(policyd):
    """A question that nobody answers ends with drain-timeout; what waits for it dies with the daemon, in order."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind((ports.LOOPBACK, 0))
        resolver = f'{{"127.0.0.1@{silent.getsockname()[1]}"}}'
        daemon = policyd(
            {"resolver": resolver, "dns-timeout": "10s", "drain-timeout": "1s"},
            "limit daily { subject = user count = messages max = 5 per = 24h }\n"
            "cause dns.sender-domain { action = reject }\n",
        )
        with daemon.client() as one:
            one.send(policy.request())
            silent.settimeout(60)
            silent.recv(512)
            process = daemon.process
            process.signal(signal.SIGTERM)
            assert one.answer() is None
            assert process.wait_exit() == 0
