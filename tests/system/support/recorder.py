# SPDX-License-Identifier: BSD-2-Clause
"""A policy service and a milter that agree to everything and write down what an MTA asks: what
really is on the wire.
"""

import dataclasses
import os
import socketserver
import struct
import threading

from . import wait


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


class _Recorder:
    """A server on a unix socket in a thread of its own."""

    def __init__(self, path):
        self.path = path
        self.events = []
        recorder = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                recorder.serve(self.rfile, self.wfile)

        self._server = _Server(str(path), Handler)
        os.chmod(path, 0o777)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def describe(self):
        return "\n".join(map(str, self.events))

    def serve(self, reader, writer):
        raise NotImplementedError

    def wait_event(self, predicate, seconds=wait.SECONDS, what="event"):
        """The first event for which the predicate holds."""

        def find():
            return next((event for event in list(self.events) if predicate(event)), None)

        return wait.poll(find, seconds, what, self.describe)


class PolicyService(_Recorder):
    """Events are dicts of a request's attributes; the answer is always the same."""

    def __init__(self, path, answer="DUNNO"):
        super().__init__(path)
        self.answer = answer

    def serve(self, reader, writer):
        attributes = {}
        for line in reader:
            text = line.decode(errors="replace").rstrip("\n")
            if text:
                name, _, value = text.partition("=")
                attributes[name] = value
                continue
            self.events.append(attributes)
            attributes = {}
            writer.write(f"action={self.answer}\n\n".encode())

    def wait_state(self, state, seconds=wait.SECONDS):
        """The first request of this protocol_state: RCPT, DATA, END-OF-MESSAGE."""
        return self.wait_event(
            lambda event: event.get("protocol_state") == state, seconds, f"policy request {state}"
        )


@dataclasses.dataclass(frozen=True)
class Step:
    """One milter command: its letter, its arguments as bytes, and the macros sent just before it.
    """

    command: str
    payload: bytes
    macros: dict

    @property
    def words(self):
        """The arguments of a MAIL or RCPT step."""
        return [word.decode(errors="replace") for word in self.payload.split(b"\0")[:-1]]


class Milter(_Recorder):
    """Events are Steps. replies: {letter: reply} for commands that are not simply to be continued.
    """

    CONTINUE = b"c"
    UNANSWERED = ("A", "Q", "K")
    PROTOCOL_VERSION = 6

    def __init__(self, path, replies=None):
        super().__init__(path)
        self.replies = dict(replies or {})

    @staticmethod
    def _packet(reader):
        head = reader.read(5)
        if len(head) < 5:
            return None, b""
        length, command = struct.unpack("!Ic", head)
        return command.decode("latin-1"), reader.read(length - 1)

    def serve(self, reader, writer):
        macros = {}
        while True:
            command, payload = self._packet(reader)
            if command is None:
                return
            if command == "D":
                words = payload[1:].split(b"\0")
                named = dict(zip(words[::2], words[1::2]))
                macros = {
                    name.decode(): value.decode(errors="replace") for name, value in named.items()
                }
                continue
            self.events.append(Step(command, payload, macros))
            macros = {}
            if command == "Q":
                return
            if command not in self.UNANSWERED:
                answer = (
                    self._negotiation()
                    if command == "O"
                    else self.replies.get(command, self.CONTINUE)
                )
                writer.write(struct.pack("!I", len(answer)) + answer)

    def _negotiation(self):
        """No changes wanted, every step wanted, every step answered."""
        return b"O" + struct.pack("!III", self.PROTOCOL_VERSION, 0, 0)

    def wait_step(self, command, seconds=wait.SECONDS):
        """The first step with this letter: C connect, M mail, R rcpt, T data, E end of message."""
        return self.wait_event(
            lambda step: step.command == command, seconds, f"milter step {command}"
        )
