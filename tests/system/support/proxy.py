# SPDX-License-Identifier: BSD-2-Clause
"""A network between a daemon and its Redis that loses what it carries."""

import selectors
import socket
import threading

from . import ports

PASS, LOSE_ANSWERS, LOSE_ALL = "pass", "lose answers", "lose all"


class Proxy:
    """Carries bytes from its port to a target; mode says what is lost. Going back to PASS ends the
    connections that have lost something, as their next octet would be garbage.
    """

    def __init__(self, target):
        self.port = ports.free_port()
        self._target = target
        self._mode = PASS
        self._pairs = {}  # a socket: (the other, whether it carries answers)
        self._lock = threading.Lock()

    def start(self):
        self._listener = socket.create_server((ports.LOOPBACK, self.port), backlog=64)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._wakes = socket.socketpair()
        self._selector.register(self._wakes, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def set(self, mode):
        with self._lock:
            self._mode = mode
            if mode == PASS:
                for sock in list(self._pairs):
                    self._drop(sock)

    def _run(self):
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._wakes:
                    return
                with self._lock:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj in self._pairs:
                        self._carry(key.fileobj)

    def _accept(self):
        near, _ = self._listener.accept()
        try:
            far = ports.connect(self._target)
        except OSError:
            near.close()
            return
        for sock, other, answers in ((near, far, False), (far, near, True)):
            sock.setblocking(True)
            self._pairs[sock] = (other, answers)
            self._selector.register(sock, selectors.EVENT_READ)

    def _carry(self, sock):
        other, answers = self._pairs[sock]
        try:
            octets = sock.recv(65536)
            if octets and (self._mode == PASS or (self._mode == LOSE_ANSWERS and not answers)):
                other.sendall(octets)
        except OSError:
            octets = b""
        if not octets:
            self._drop(sock)

    def _drop(self, sock):
        if sock not in self._pairs:
            return
        other, _ = self._pairs[sock]
        for each in (sock, other):
            self._selector.unregister(each)
            self._pairs.pop(each)
            each.close()

    def stop(self):
        self._wake.close()
        self._thread.join()
        for sock in list(self._pairs):
            self._drop(sock)
        self._selector.close()
        self._listener.close()
        self._wakes.close()

    def describe(self):
        return f"{self._mode} at {self.port}"
