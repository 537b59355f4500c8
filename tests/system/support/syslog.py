# SPDX-License-Identifier: BSD-2-Clause
"""A private /dev/log that a test reads."""

import re
import socket

from . import logfile, wait

# <PRI>Nov 21 10:00:00 program[pid]: QUEUEID: name=value ...
LINE = re.compile(
    r"^<(?P<priority>\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
    r"(?P<program>[\w-]+)\[(?P<pid>\d+)\]: (?P<queue_id>\S+): (?P<rest>.*)$"
)


class Syslog:
    """Takes lines once it is started; nothing is read before a test looks at them."""

    def __init__(self, path):
        self.path = path
        self._socket = None
        self.lines = []

    def start(self):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)
        return self

    def stop(self):
        if self._socket is not None:
            self._socket.close()
            self.path.unlink(missing_ok=True)
            self._socket = None

    def describe(self):
        return "\n".join(self.lines[-40:])

    def read(self):
        """All lines so far."""
        while True:
            try:
                self.lines.append(self._socket.recv(8192).decode())
            except BlockingIOError:
                return self.lines

    def events(self, **wanted):
        """The lines as dicts, those whose fields are as wanted; priority is one of the fields."""
        found = []
        for line in self.read():
            match = LINE.match(line)
            assert match, line
            fields = logfile.parse_fields(match["rest"])
            found.append({**{name: match[name] for name in ("priority", "queue_id")}, **fields})
        return [each for each in found if all(each.get(k) == v for k, v in wanted.items())]

    def wait(self, seconds=wait.SECONDS, **wanted):
        """The first line with these fields."""
        return wait.poll(
            lambda: self.events(**wanted), seconds, f"syslog line {wanted}", self.describe
        )[0]
