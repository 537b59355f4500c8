# SPDX-License-Identifier: BSD-2-Clause
"""sluice-policyd by its sockets: the protocol, connections, signals. No MTA, no DNS."""

import grp
import os
import pathlib
import pwd
import resource
import signal
import socket
import stat

import pytest
from support import policy, ports, sluice, wait

# Nothing here is about DNS.
NO_DNS = "".join(
    f"cause dns.{name} {{ action = ignore }}\n"
    for name in ("sender-domain", "sender-no-mail", "recipient-domain", "recipient-no-mail", "failure")
)
BAD = "bob@example..net"


@pytest.fixture
def policyd(run, folder):
    """Start the daemon: policyd(options={...}, sections=...); its sockets are .socket and .port."""

    def start(options=None, sections="", started=True):
        path, port = folder / "policy.sock", ports.free_port()
        base = {
            "mode": "enforce",
            "hostname": "mx.example.test",
            "local-domains": '{"example.test"}',
            "store": '"memory:"',
            "resolver": '{"127.0.0.1@9"}',
            "state-directory": '""',
            "policy-listen": f'{{"unix:{path}", "inet:127.0.0.1:{port}"}}',
        }
        config = sluice.Config(folder, {**base, **(options or {})}, NO_DNS + sections)
        daemon = sluice.Daemon("sluice-policyd", folder, config, [path, port])
        daemon.socket, daemon.port, daemon.config = path, port, config
        if started:
            run(daemon)
            # Its sockets take connections before it is ready for signals.
            daemon.log.wait(event="started")
        return daemon

    return start


def client(daemon, **options):
    return policy.Client(daemon.socket, **options)


def settled(one):
    """One connection after two turns of the daemon's loop: it has seen what other clients did before."""
    for _ in range(2):
        assert one.ask(protocol_state="EHLO") == "DUNNO"
    return one


def fields_of(pid, name):
    """A number from /proc/PID/status, in KiB where it is a size."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def pid_of(daemon):
    return daemon.processes()[0].pid


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# --- the protocol


def test_many_requests_over_one_connection(policyd):
    with client(policyd()) as one:
        for number in range(200):
            bad = number % 3 == 0
            action = one.ask(instance=number, recipient=BAD if bad else "bob@example.net")
            assert action.startswith("501 5.1.3 ") if bad else action == "DUNNO"


def test_requests_in_one_packet_are_answered_in_order(policyd):
    with client(policyd()) as one:
        bad = [number % 3 == 0 for number in range(300)]
        one.send(b"".join(policy.request(instance=i, recipient=BAD if b else "bob@example.net") for i, b in enumerate(bad)))
        assert [one.answer().startswith("501 ") for _ in bad] == bad


@pytest.mark.parametrize("where", ["socket", "port"])
def test_octet_by_octet(policyd, where):
    daemon = policyd()
    with policy.Client(getattr(daemon, where)) as one:
        if where == "port":
            one.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        octets = policy.request(sender="a=b=c@example.test", sasl_username="a=b=c@example.test") * 2
        for at in range(len(octets)):
            one.send(octets[at : at + 1])
        assert [one.answer(), one.answer()] == ["DUNNO", "DUNNO"]


@pytest.mark.parametrize("state", ["CONNECT", "EHLO", "HELO", "VRFY", "ETRN", "AUTH", ""])
def test_nothing_to_judge_is_dunno(policyd, state):
    with client(policyd()) as one:
        assert one.ask(protocol_state=state, recipient=BAD) == "DUNNO"


TROUBLES = {
    "another request": (b"request=junk\n\n", "it is not request=smtpd_access_policy"),
    "no request": (b"\n", "it is not request=smtpd_access_policy"),
    "a web browser": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "a line is not name=value"),
    "NUL": (policy.request(sender="a\0b"), "a line holds a NUL"),
    "no name": (policy.request() [:-1] + b"=x\n\n", "a line has no name before its '='"),
    "an endless line": (b"sender=" + b"x" * 10000, "a line is too long"),
    "an endless request": (b"x=y\n" * 100 + b"z=" + b"y" * 3000 + b"\n" + b"z=" + b"y" * 3000, "the request is too large"),
    "too many attributes": (policy.request()[:-1] + b"x=y\n" * 300 + b"\n", "too many attributes"),
}  # fmt: skip


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_closes_the_connection_without_an_answer(policyd, name):
    octets, problem = TROUBLES[name]
    daemon = policyd({"policy-max-request": "6K"} if name == "an endless request" else None)
    with client(daemon) as other, client(daemon) as one:
        assert one.ask() == "DUNNO"
        # What came before in the same packet is still answered.
        one.send(policy.request() + octets)
        assert one.answer() == "DUNNO"
        assert one.answer() is None
        event = daemon.log.wait(event="policy-error", problem=problem)
        assert event["peer"] == f"pid {os.getpid()} uid {os.getuid()}"
        assert other.ask() == "DUNNO"
        assert len(daemon.log.events(event="policy-error")) == 1


def test_a_client_that_says_no_more_gets_its_answers(policyd):
    daemon = policyd()
    with client(daemon) as one:
        one.send(policy.request() * 3)
        one.socket.shutdown(socket.SHUT_WR)
        assert [one.answer() for _ in range(4)] == ["DUNNO", "DUNNO", "DUNNO", None]
    with client(daemon) as one:
        one.send(policy.request()[:-10])
        one.socket.shutdown(socket.SHUT_WR)
        assert one.answer() is None
    daemon.log.wait(event="policy-error", problem="the connection ended within a request")


# --- time and numbers


def test_idle_connections_are_closed(policyd):
    daemon = policyd({"policy-idle-timeout": "1s"})
    with client(daemon) as idle, client(daemon) as partial, client(daemon) as busy:
        assert idle.ask() == "DUNNO"
        partial.send(b"request=smtpd_access_policy\nsender=")
        partial.socket.settimeout(0.2)

        def ended():
            assert busy.ask() == "DUNNO"
            try:
                return partial.answer() is None
            except TimeoutError:
                return False

        # A connection that is used stays, however often the time goes by.
        wait.poll(ended, 10.0, "the partial request's connection to be closed")
        assert idle.answer() is None
        daemon.log.wait(event="policy-error", problem="the request is not complete in time")
        assert busy.ask() == "DUNNO"
        assert len(daemon.log.events(event="policy-error")) == 1


def test_a_client_that_does_not_read(policyd):
    daemon = policyd({"policy-idle-timeout": "1s"})
    before = fields_of(pid_of(daemon), "VmRSS")
    with client(daemon) as deaf, client(daemon) as other:
        deaf.socket.settimeout(0.3)
        requests, sent = policy.request() * 100, 0
        try:
            while sent < 200_000_000:
                sent += deaf.socket.send(requests)
        except TimeoutError:
            pass
        assert other.ask() == "DUNNO"
        assert sent < 200_000_000
        assert fields_of(pid_of(daemon), "VmRSS") < before + 20_000
        daemon.log.wait(event="policy-error", problem="the client does not take its answer")
        assert other.ask(instance="2") in ("DUNNO", None)


def test_too_many_connections(policyd):
    daemon = policyd({"policy-max-connections": "4"})
    # The look whether it has started was a connection too.
    held = [settled(client(daemon))]
    held += [client(daemon) for _ in range(3)]
    try:
        assert all(each.ask() == "DUNNO" for each in held)
        for _ in range(3):
            with client(daemon) as one_more:
                assert one_more.answer() is None
        event = daemon.log.wait(event="cause", cause="self.overload")
        assert event["connections"] == "4" and "policy-max-connections" in event["hint"]
        assert all(each.ask() == "DUNNO" for each in held)
        assert len(daemon.log.events(cause="self.overload")) == 1
        held.pop().close()
        settled(held[0])
        held.append(client(daemon))
        assert held[-1].ask() == "DUNNO"
    finally:
        for each in held:
            each.close()


def first_free_descriptor(pid):
    used = {int(each.name) for each in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
    return min(set(range(len(used) + 1)) - used)


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_thousands_of_connections(policyd, many_descriptors):
    daemon = policyd()
    held = []
    try:
        for _ in range(1000):
            held.append(client(daemon))
            assert held[-1].ask(protocol_state="EHLO") == "DUNNO"
        # A sanitizer's own memory is not the daemon's.
        if b"__asan_init" not in sluice.program("sluice-policyd").read_bytes():
            assert fields_of(pid_of(daemon), "VmRSS") < 20 * 1024
        held += [client(daemon) for _ in range(2000)]
        for number, each in enumerate(held):
            each.send(policy.request(instance=number, recipient=BAD if number % 2 else "bob@example.net"))
        for number, each in enumerate(held):
            assert each.answer().startswith("501 " if number % 2 else "DUNNO")
    finally:
        for each in held:
            each.close()
    with client(daemon) as one:
        assert one.ask() == "DUNNO"


def test_no_descriptors_left(policyd):
    daemon = policyd()
    pid = pid_of(daemon)
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with client(daemon) as first:
        settled(first)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (first_free_descriptor(pid), limits[1]))
        with client(daemon, timeout=0.5) as waiting:
            waiting.send(policy.request())
            used = cpu_seconds(pid)
            with pytest.raises(TimeoutError):
                waiting.answer()
            # It waits, and does not try all the time.
            assert cpu_seconds(pid) - used < 0.2
            assert first.ask() == "DUNNO"
            event = daemon.log.wait(event="cause", cause="self.overload")
            assert event["problem"] == "Too many open files"
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            waiting.socket.settimeout(10)
            assert waiting.answer() == "DUNNO"


# --- sockets


def test_socket_mode_and_group(policyd):
    group = grp.getgrall()[-1]
    daemon = policyd({"policy-socket-mode": "0620", "policy-socket-group": f'"{group.gr_name}"'})
    status = daemon.socket.stat()
    assert stat.S_IMODE(status.st_mode) == 0o620
    assert status.st_gid == group.gr_gid


def test_privileges_are_dropped_and_the_socket_goes_with_them(policyd, folder):
    nobody = pwd.getpwnam("nobody")
    inside = folder / "nobody"
    daemon = policyd({"user": "nobody", "policy-listen": f'{{"unix:{inside}/policy.sock"}}'}, started=False)
    daemon.socket = inside / "policy.sock"
    daemon._endpoints = [daemon.socket]
    daemon.start()
    try:
        with client(daemon) as one:
            assert one.ask() == "DUNNO"
        assert fields_of(pid_of(daemon), "Uid") == nobody.pw_uid
        assert daemon.socket.stat().st_uid == nobody.pw_uid
    finally:
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
    with client(daemon) as one:
        assert one.ask() == "DUNNO"


def test_a_live_socket_is_not(policyd, folder):
    daemon = policyd()
    second = policyd({"policy-listen": f'{{"unix:{daemon.socket}"}}'}, started=False)
    code, output = second.run()
    assert code == 69 and str(daemon.socket) in output and "Address already in use" in output
    with client(daemon) as one:
        assert one.ask() == "DUNNO"


def test_a_file_is_not_a_stale_socket(policyd, folder):
    path = folder / "precious"
    path.write_text("data")
    code, output = policyd({"policy-listen": f'{{"unix:{path}"}}'}, started=False).run()
    assert code == 69 and "File exists" in output
    assert path.read_text() == "data"


def test_exit_codes(policyd, folder):
    taken = ports.free_port()
    with socket.create_server((ports.LOOPBACK, taken)):
        listen = f'{{"inet:127.0.0.1:{taken}"}}'
        code, output = policyd({"policy-listen": listen}, started=False).run()
        assert code == 69 and f"inet:127.0.0.1:{taken}: " in output
    code, output = policyd({"mode": "enfroce"}, started=False).run()
    assert code == 78 and "enforce" in output
    code, output = policyd({"policy-listen": f'{{"unix:{folder}/no/such/p.sock"}}'}, started=False).run()
    assert code == 69
    code, output = policyd({"policy-socket-group": "no-such-group"}, started=False).run()
    assert code in (69, 78) and "no-such-group" in output


# --- signals


def test_reload_keeps_connections_and_takes_new_settings(policyd, folder):
    daemon = policyd()
    second, port = folder / "second.sock", ports.free_port()
    with client(daemon) as one, policy.Client(daemon.port) as inet:
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


def test_a_bad_reload_changes_nothing(policyd):
    daemon = policyd()
    with client(daemon) as one:
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
        with client(daemon) as new:
            assert new.ask() == "DUNNO"


def test_drain_closes_what_is_idle(policyd):
    daemon = policyd()
    with client(daemon) as one, client(daemon) as other:
        assert one.ask() == "DUNNO"
        assert other.ask() == "DUNNO"
        process = daemon.processes()[0]
        process.signal(signal.SIGTERM)
        assert one.answer() is None and other.answer() is None
        assert process.wait_exit() == 0
    assert not daemon.socket.exists()


def test_drain_finishes_what_is_in_hand(policyd, make_redis):
    redis = make_redis()
    daemon = policyd(
        {"store": f'"unix:{redis.socket}"', "store-timeout": "1s"},
        "limit daily { subject = user count = messages max = 5 per = 24h }\n",
    )
    with client(daemon) as one, client(daemon) as idle:
        assert one.ask() == "DUNNO"
        redis.freeze()
        one.send(policy.request(instance="2"))
        # It has read the request before it gets the signal, which a connection made after it shows.
        with client(daemon) as witness:
            assert witness.ask(protocol_state="EHLO") == "DUNNO"
        process = daemon.processes()[0]
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
        with client(daemon) as one:
            one.send(policy.request())
            silent.settimeout(10)
            silent.recv(512)
            process = daemon.processes()[0]
            process.signal(signal.SIGTERM)
            assert one.answer() is None
            assert process.wait_exit() == 0


# --- answers and counting

LIMIT = "limit daily { subject = user count = messages max = 2 per = 24h }\n"


def test_the_end_of_message_charges(policyd):
    with client(policyd(sections=LIMIT)) as one:
        for number in range(10):
            assert one.ask(instance=number) == "DUNNO"
        assert one.message("Q1") == ["DUNNO", "DUNNO"]
        assert one.message("Q2") == ["DUNNO", "DUNNO"]
        # The same message once more: it is counted already.
        assert one.ask(protocol_state="END-OF-MESSAGE", instance="i.Q2", queue_id="Q2", recipient_count=1) == "DUNNO"
        refused = one.message("Q3")
        assert len(refused) == 1 and refused[0].startswith("450 4.7.28 ") and refused[0].endswith("[limit.messages]")


def test_charge_at_rcpt(policyd):
    daemon = policyd({"charge-at": "rcpt"}, LIMIT)
    with client(daemon) as one:
        for instance in ("1", "2"):
            assert one.ask(instance=instance, recipient="a@example.net") == "DUNNO"
            assert one.ask(instance=instance, recipient="b@example.net", queue_id=f"Q{instance}") == "DUNNO"
            end = {"instance": instance, "queue_id": f"Q{instance}", "recipient": "", "recipient_count": 2}
            assert one.ask(protocol_state="DATA", **end) == "DUNNO"
            assert one.ask(protocol_state="END-OF-MESSAGE", **end) == "DUNNO"
        assert one.ask(instance="3").startswith("450 4.7.28 ")
    assert len(daemon.log.events(event="message", verdict="accept")) == 2


@pytest.mark.parametrize(
    "action, want",
    [
        ("warn", "PREPEND X-Sluice-Warning: [recipient.syntax] "),
        ("hold", "HOLD "),
        ("defer", "450 4.1.3 "),
        ("reject", "501 5.1.3 "),
        ("log", "DUNNO"),
        ("ignore", "DUNNO"),
    ],
)
def test_actions(policyd, action, want):
    daemon = policyd(sections=f"cause recipient.syntax {{ action = {action} }}\n")
    with client(daemon) as one:
        answer = one.ask(recipient=BAD)
        assert answer.startswith(want)
        # At the end of the message it is too late to prepend.
        end = one.ask(protocol_state="END-OF-MESSAGE", instance="9", recipient=BAD, recipient_count=1)
        assert end.startswith("DUNNO" if action == "warn" else want)


def test_a_stranger_cannot_write_the_answer(policyd):
    daemon = policyd()
    with client(daemon) as one:
        answer = one.ask(recipient="evil\u2028\r\x1b[1m <x>..@\xff..example")
        assert answer.startswith("501 5.1.3 ")
        assert all(" " <= letter <= "~" for letter in answer)
        daemon.log.wait(event="cause", cause="recipient.syntax")
