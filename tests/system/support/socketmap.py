# SPDX-License-Identifier: BSD-2-Clause
"""A table server that speaks Postfix' socketmap protocol, and can be made to misbehave."""

import contextlib
import socket
import threading


class SocketMap:
    """tables: {table: {key: value}}; a value of bytes is sent as the whole reply. A context manager.

    asked: the requests so far. silent: take requests and answer none.
    """

    def __init__(self, path, tables):
        self.path = path
        self.tables = tables
        self.asked = []
        self.silent = False
        self._server = None
        self._connections = set()
        self._threads = []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.path.unlink(missing_ok=True)
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(self.path))
        self.path.chmod(0o666)
        self._server.listen(16)
        self._spawn(self._accept, self._server)

    def stop(self):
        for each in [self._server, *self._connections]:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._connections.clear()

    def _spawn(self, target, *arguments):
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, server):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                self._connections.add(connection)
                self._spawn(self._serve, connection)

    def _serve(self, connection):
        with contextlib.suppress(OSError, ValueError), connection.makefile("rb") as stream:
            while True:
                size = b""
                while (octet := stream.read(1)) != b":":
                    if not octet:
                        return
                    size += octet
                request = stream.read(int(size)).decode()
                assert stream.read(1) == b","
                self.asked.append(request)
                if not self.silent:
                    connection.sendall(self._reply(*request.split(" ", 1)))

    def _reply(self, table, key):
        value = self.tables.get(table, {}).get(key)
        if isinstance(value, bytes):
            return value
        text = ("NOTFOUND " if value is None else f"OK {value}").encode()
        return b"%d:%s," % (len(text), text)
