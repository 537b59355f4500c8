# SPDX-License-Identifier: BSD-2-Clause
"""A journal of systemd's in a folder, written while it is read."""

import pathlib
import subprocess
import time

from . import feedback

PROGRAM = pathlib.Path("/lib/systemd/systemd-journal-remote")
BOOT = "5" * 32


class Journal(feedback.MailLog):
    """Takes the lines that feedback.MailLog makes; path is what mail-log names."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "journal"
        self.folder.mkdir()
        self.path = f"journal:{self.folder}"
        self._count = 0
        self._files = 0
        self._writer = None
        self.rotate()

    def rotate(self):
        """From now on in a new file."""
        self.stop()
        self._files += 1
        file = self.folder / f"mail{self._files}.journal"
        self._writer = subprocess.Popen([PROGRAM, "-o", file, "-"], stdin=subprocess.PIPE)

    def stop(self):
        if self._writer is not None:
            self._writer.stdin.close()
            assert self._writer.wait(timeout=60) == 0
            self._writer = None

    def entry(self, identifier, message, facility=2):
        """In the export format: https://systemd.io/JOURNAL_EXPORT_FORMATS."""
        text = message.encode()
        head = (
            f"__REALTIME_TIMESTAMP={time.time_ns() // 1000}\n"
            f"__MONOTONIC_TIMESTAMP={time.monotonic_ns() // 1000}\n_BOOT_ID={BOOT}\n"
            f"SYSLOG_FACILITY={facility}\nPRIORITY=6\nSYSLOG_IDENTIFIER={identifier}\n"
            "_PID=7\n_HOSTNAME=mx\nMESSAGE\n"
        )
        self._writer.stdin.write(head.encode() + len(text).to_bytes(8, "little") + text + b"\n\n")
        self._writer.stdin.flush()

    def line(self, service, text, ago=0):
        self.entry(f"postfix/{service}", text)
