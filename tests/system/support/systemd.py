# SPDX-License-Identifier: BSD-2-Clause
"""What a daemon tells systemd, without systemd (sd_notify(3))."""

import socket

from . import wait


class Notifications:
    """A NOTIFY_SOCKET; the environment that names it goes to the daemon."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": path}
        self.states = []

    def start(self):
        return self

    def stop(self):
        self._socket.close()

    def describe(self):
        return f"notified: {self.states}"

    def receive(self):
        """All that was told so far, one list of lines each."""
        while True:
            try:
                self.states.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return self.states

    def wait(self, *states, seconds=wait.SECONDS):
        """Wait until these were told, in this order, whatever was told between them."""

        def told():
            rest = iter(line for lines in self.receive() for line in lines)
            return all(state in rest for state in states)

        wait.poll(told, seconds, f"notified of {states}", self.describe)
