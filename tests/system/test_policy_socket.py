# SPDX-License-Identifier: BSD-2-Clause
"""sluice-policyd and its clients: the protocol, time and numbers, answers."""

import os
import resource
import socket

import pytest
from support import policy, proof, sluice, wait
from support import policyd as policyd_module

BAD = "bob@example..net"


@pytest.fixture
def policyd(run, folder):
    """Start the daemon: policyd(options={...}, sections=...)."""
    return lambda *words, **options: run(policyd_module.Policyd(folder, *words, **options))


def settled(one):
    """One connection after two turns of the daemon's loop: it has seen what other clients did before."""
    for _ in range(2):
        assert one.ask(protocol_state="EHLO") == "DUNNO"
    return one


# --- the protocol


def test_many_requests_over_one_connection(policyd):
    with policyd().client() as one:
        for number in range(200):
            bad = number % 3 == 0
            action = one.ask(instance=number, recipient=BAD if bad else "bob@example.net")
            assert action.startswith("501 5.1.3 ") if bad else action == "DUNNO"


def test_requests_in_one_packet_are_answered_in_order(policyd):
    with policyd().client() as one:
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
    with policyd().client() as one:
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
    with daemon.client() as other, daemon.client() as one:
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
    with daemon.client() as one:
        one.send(policy.request() * 3)
        one.socket.shutdown(socket.SHUT_WR)
        assert [one.answer() for _ in range(4)] == ["DUNNO", "DUNNO", "DUNNO", None]
    with daemon.client() as one:
        one.send(policy.request()[:-10])
        one.socket.shutdown(socket.SHUT_WR)
        assert one.answer() is None
    daemon.log.wait(event="policy-error", problem="the connection ended within a request")


# --- time and numbers


def test_idle_connections_are_closed(policyd):
    daemon = policyd({"policy-idle-timeout": "2s"})
    with daemon.client() as idle, daemon.client() as partial, daemon.client() as busy:
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
        wait.poll(ended, what="the partial request's connection to be closed")
        assert idle.answer() is None
        daemon.log.wait(event="policy-error", problem="the request is not complete in time")
        assert busy.ask() == "DUNNO"
        assert len(daemon.log.events(event="policy-error")) == 1


def test_a_client_that_does_not_read(policyd):
    daemon = policyd({"policy-idle-timeout": "1s"})
    before = daemon.status("VmRSS")
    with daemon.client() as deaf:
        deaf.socket.settimeout(0.3)
        requests, sent = policy.request() * 100, 0
        try:
            while sent < 200_000_000:
                sent += deaf.socket.send(requests)
        except TimeoutError:
            pass
        with daemon.client() as other:
            assert other.ask() == "DUNNO"
        assert sent < 200_000_000
        assert daemon.status("VmRSS") < before + 20_000
        daemon.log.wait(event="policy-error", problem="the client does not take its answer")
        with daemon.client() as other:
            assert other.ask() == "DUNNO"


@proof.provokes("self.overload")
@proof.near_miss("self.overload")
def test_too_many_connections(policyd):
    daemon = policyd({"policy-max-connections": "4"})
    # The look whether it has started was a connection too.
    held = [settled(daemon.client())]
    held += [daemon.client() for _ in range(3)]
    try:
        assert all(each.ask() == "DUNNO" for each in held)
        assert not daemon.log.events(cause="self.overload")
        for _ in range(3):
            with daemon.client() as one_more:
                assert one_more.answer() is None
        event = daemon.log.wait(event="cause", cause="self.overload")
        assert event["connections"] == "4" and "policy-max-connections" in event["hint"]
        assert all(each.ask() == "DUNNO" for each in held)
        assert len(daemon.log.events(cause="self.overload")) == 1
        held.pop().close()
        settled(held[0])
        held.append(daemon.client())
        assert held[-1].ask() == "DUNNO"
    finally:
        for each in held:
            each.close()


def test_thousands_of_connections(policyd, many_descriptors):
    daemon = policyd()
    held = []
    try:
        for _ in range(1000):
            held.append(daemon.client())
            assert held[-1].ask(protocol_state="EHLO") == "DUNNO"
        if not sluice.is_sanitized():
            assert daemon.status("VmRSS") < 20 * 1024
        held += [daemon.client() for _ in range(2000)]
        for number, each in enumerate(held):
            each.send(policy.request(instance=number, recipient=BAD if number % 2 else "bob@example.net"))
        for number, each in enumerate(held):
            assert each.answer().startswith("501 " if number % 2 else "DUNNO")
    finally:
        for each in held:
            each.close()
    with daemon.client() as one:
        assert one.ask() == "DUNNO"


def test_no_descriptors_left(policyd):
    daemon = policyd()
    pid = daemon.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with daemon.client() as first:
        settled(first)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (daemon.first_free_descriptor(), limits[1]))
        with daemon.client(timeout=0.5) as waiting:
            waiting.send(policy.request())
            used = daemon.cpu_seconds()
            with pytest.raises(TimeoutError):
                waiting.answer()
            # It waits, and does not try all the time.
            assert daemon.cpu_seconds() - used < 0.2
            assert first.ask() == "DUNNO"
            event = daemon.log.wait(event="cause", cause="self.overload")
            assert event["problem"] == "Too many open files"
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
            waiting.socket.settimeout(60)
            assert waiting.answer() == "DUNNO"


# --- answers and counting

LIMIT = "limit daily { subject = user count = messages max = 2 per = 24h }\n"


def test_the_end_of_message_charges(policyd):
    with policyd(sections=LIMIT).client() as one:
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
    with daemon.client() as one:
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
    with daemon.client() as one:
        answer = one.ask(recipient=BAD)
        assert answer.startswith(want)
        # At the end of the message it is too late to prepend.
        end = one.ask(protocol_state="END-OF-MESSAGE", instance="9", recipient=BAD, recipient_count=1)
        assert end.startswith("DUNNO" if action == "warn" else want)


def test_a_stranger_cannot_write_the_answer(policyd):
    daemon = policyd()
    with daemon.client() as one:
        answer = one.ask(recipient="evil\u2028\r\x1b[1m <x>..@\xff..example")
        assert answer.startswith("501 5.1.3 ")
        assert all(" " <= letter <= "~" for letter in answer)
        daemon.log.wait(event="cause", cause="recipient.syntax")
