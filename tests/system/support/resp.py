# SPDX-License-Identifier: BSD-2-Clause
"""A small client for the Redis protocol (RESP2), enough to look at what a test left in the store.
"""

from . import ports


class ReplyError(Exception):
    """The server answered with an error."""


class Client:
    """One blocking connection; replies are str, int, None or lists of these."""

    def __init__(self, endpoint, password=None, user=None, timeout=30.0):
        self._sock = ports.connect(endpoint, timeout)
        self._file = self._sock.makefile("rb")
        if password is not None:
            self.call("AUTH", *([user] if user else []), password)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self._file.close()
        self._sock.close()

    def call(self, *words):
        """Send one command and return its reply."""
        self.send(*words)
        return self.receive()

    def send(self, *words):
        """Send one command without waiting, for pipelines."""
        parts = [f"*{len(words)}\r\n".encode()]
        for word in words:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self._sock.sendall(b"".join(parts))

    def receive(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("redis closed the connection")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"+":
            return rest
        if kind == b"-":
            raise ReplyError(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return self._bulk(int(rest))
        if kind == b"*":
            return None if int(rest) < 0 else [self.receive() for _ in range(int(rest))]
        raise ConnectionError(f"unexpected reply {line!r}")

    def _bulk(self, length):
        if length < 0:
            return None
        data = self._file.read(length + 2)
        if len(data) != length + 2:
            raise ConnectionError("redis closed the connection")
        return data[:-2].decode(errors="surrogateescape")

    def hash(self, key):
        """HGETALL as a dict."""
        flat = self.call("HGETALL", key)
        return dict(zip(flat[::2], flat[1::2]))
