# SPDX-License-Identifier: BSD-2-Clause
"""Where all mail of a site ends: an SMTP server whose messages a test can read."""

import dataclasses
import email
import email.message
import email.policy
import json
import pathlib

from . import ports, process, wait, workdir

SERVER = pathlib.Path(__file__).with_name("sink_server.py")


@dataclasses.dataclass(frozen=True)
class Delivered:
    """One message as it left the MTA."""

    sender: str
    recipients: list
    data: bytes

    @property
    def message(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.data, policy=email.policy.default)


class Sink(process.Server):
    """Started on a free port; its mail is kept in a folder of files."""

    def __init__(self, folder, outlive=False):
        self.folder = workdir.subfolder(folder, "sink")
        self.port = ports.free_port()
        self._mail = workdir.subfolder(self.folder, "mail")
        self._outlive = outlive

    def start(self):
        command = ["/usr/bin/python3", "-I", SERVER, self.port, self._mail]
        self._process = process.Process("sink", command, self.folder, outlive=self._outlive)
        self._process.start().wait_ready(lambda: ports.listens(self.port))
        return self

    def count(self):
        return len(self._names())

    def _names(self):
        return sorted(path for path in self._mail.iterdir() if not path.name.startswith("."))

    def messages(self):
        """All messages so far, in order of arrival."""
        return [self._read(path) for path in self._names()]

    @staticmethod
    def _read(path):
        head, _, data = path.read_bytes().partition(b"\n")
        envelope = json.loads(head)
        return Delivered(envelope["sender"], envelope["recipients"], data)

    def wait_count(self, count, seconds=wait.SECONDS):
        """All messages, once there are at least `count`."""
        wait.poll(
            lambda: self.count() >= count, seconds, f"{count} messages at the sink", self.describe
        )
        return self.messages()

    def wait_subject(self, subject, seconds=wait.SECONDS):
        """The first message with this Subject."""

        def find():
            return next(
                (mail for mail in self.messages() if mail.message["Subject"] == subject), None
            )

        return wait.poll(
            find, seconds, f"message with subject {subject!r} at the sink", self.describe
        )

    def clear(self):
        """Forget what came so far."""
        for path in self._names():
            path.unlink()

    def describe(self):
        return f"{self.count()} messages in {self._mail}\n{super().describe()}"
