# SPDX-License-Identifier: BSD-2-Clause
"""The MTA's side of the milter protocol, which can also do what no MTA would."""

import dataclasses
import struct

from . import ports

VERSION = 6
ACTIONS = 0x1FF
STEPS = 0x1FFFFF
# The steps to which no reply comes once the milter has asked for that.
NO_REPLY = {
    "C": 0x1000,
    "H": 0x2000,
    "M": 0x4000,
    "R": 0x8000,
    "T": 0x10000,
    "L": 0x80,
    "N": 0x40000,
    "B": 0x80000,
}
NO_END_OF_HEADERS = 0x40
LEADING_SPACE = 0x100000
FINAL = "acrtdy"
# What becomes of a message, by the reply's first octet.
WORDS = {
    "a": "accept",
    "c": "continue",
    "d": "discard",
    "r": "reject",
    "t": "tempfail",
    "y": "reply",
}

# Logins come encrypted.
TLS = {"tls_version": "TLSv1.3", "cipher": "TLS_AES_256_GCM_SHA384", "cipher_bits": "256"}


def _strings(*texts):
    return b"".join(_octets(text) + b"\0" for text in texts)


def _octets(text):
    return text if isinstance(text, bytes) else text.encode()


@dataclasses.dataclass(frozen=True)
class Reply:
    """What the milter said; text is that of a reply of its own ("550 5.1.2 ...")."""

    word: str
    text: str = ""
    changes: tuple = ()

    @property
    def passes(self):
        return self.word in ("accept", "continue")


class Client:
    """One connection to a milter, as Postfix holds one for each SMTP session."""

    def __init__(self, endpoint, timeout=60.0, client="192.0.2.10"):
        self.socket = ports.connect(endpoint, timeout)
        self._file = self.socket.makefile("rb")
        self._client = client
        self._send("O", struct.pack("!III", VERSION, ACTIONS, STEPS))
        kind, body = self._receive()
        assert kind == "O", kind
        self._steps = struct.unpack("!III", body[:12])[2]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.hang_up()

    def hang_up(self):
        """Gone without a word."""
        self._file.close()
        self.socket.close()

    def quit(self):
        self._send("Q")
        self.hang_up()

    def _send(self, kind, body=b""):
        self.socket.sendall(struct.pack("!I", len(body) + 1) + kind.encode() + body)

    def _receive(self):
        head = self._file.read(5)
        if len(head) < 5:
            raise ConnectionError("the milter closed the connection")
        length, kind = struct.unpack("!Ic", head)
        return kind.decode(), self._file.read(length - 1)

    def _step(self, kind, body=b"", wait=True):
        self._send(kind, body)
        if not wait or self._steps & NO_REPLY.get(kind, 0):
            return Reply("continue")
        return self.reply()

    def reply(self):
        """The next final reply, and the changes that came before it as (command, octets)."""
        changes = []
        while True:
            kind, body = self._receive()
            if kind in FINAL:
                text = body.rstrip(b"\0").decode("utf-8", errors="replace")
                return Reply(WORDS[kind], text, tuple(changes))
            changes.append((kind, body))

    def macros(self, step, **values):
        """Macros by name; the one-letter ones stand bare, the others in braces."""
        texts = []
        for name, value in values.items():
            texts += [name if len(name) == 1 else f"{{{name}}}", value]
        self._send("D", step.encode() + _strings(*texts))

    # The steps; each returns the reply, which is "continue" where none comes.

    def connect(self, helo="client.example.net"):
        self.macros("C", v="Postfix 3.7", daemon_port="2525")
        address = b"4" + struct.pack("!H", 40000) + _strings(self._client)
        self._step("C", _strings("client") + address)
        self.macros("H")
        return self._step("H", _strings(helo))

    def mail(self, sender, login=None):
        macros = {"auth_authen": login, "auth_type": "PLAIN", **TLS} if login else {}
        self.macros("M", mail_addr=sender, **macros)
        return self._step("M", _strings(f"<{sender}>"))

    def rcpt(self, recipient, queue_id=None, wait=True):
        self.macros("R", rcpt_mailer="smtp", **({"i": queue_id} if queue_id else {}))
        return self._step("R", _strings(f"<{recipient}>"), wait)

    def data(self, queue_id):
        self.macros("T", i=queue_id)
        return self._step("T")

    def header(self, name, value):
        space = b" " if self._steps & LEADING_SPACE else b""
        return self._step("L", _strings(name, space + _octets(value)))

    def end_of_headers(self):
        return Reply("continue") if self._steps & NO_END_OF_HEADERS else self._step("N")

    def body(self, octets):
        return self._step("B", octets)

    def end(self, queue_id, wait=True):
        self.macros("E", i=queue_id)
        return self._step("E", wait=wait)

    def abort(self):
        self._send("A")

    def message(self, queue_id, sender, recipients, login=None, headers=(), body=b"Hello.\r\n"):
        """A whole message; the reply to its end, or the first one that refuses."""
        steps = [lambda: self.mail(sender, login)]
        steps += [lambda each=each: self.rcpt(each, queue_id) for each in recipients]
        steps.append(lambda: self.data(queue_id))
        fields = [("From", sender), ("Subject", queue_id), *headers]
        steps += [lambda field=field: self.header(*field) for field in fields]
        steps += [self.end_of_headers, lambda: self.body(body)]
        for step in steps:
            reply = step()
            if not reply.passes:
                self.abort()
                return reply
        return self.end(queue_id)
