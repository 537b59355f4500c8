# SPDX-License-Identifier: BSD-2-Clause
"""Run as a program beside the tests: stops what they have started when they die too early.

Standard input is a pipe from the tests: "+PID STARTTIME" for each process group begun, "-PID" for
each one ended. Its end means that the tests are gone, however that came about. (A parent-death
signal would not do: the kernel forgets it when a server changes its user.)
"""

import os
import pathlib
import signal
import subprocess
import sys
import time

GRACE_SEC = 5.0


def start_time(pid):
    """The kernel's start time of a process, which with the pid identifies it; None if it is gone.
    """
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def _signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def _stop(groups):
    alive = {pid for pid, started in groups.items() if start_time(pid) == started}
    for pid in alive:
        _signal_group(pid, signal.SIGCONT)
        _signal_group(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SEC
    while time.monotonic() < deadline and any(start_time(pid) == groups[pid] for pid in alive):
        time.sleep(0.05)
    for pid in alive:
        if start_time(pid) == groups[pid]:
            _signal_group(pid, signal.SIGKILL)


def main():
    groups = {}
    for line in sys.stdin:
        words = line[1:].split()
        if line.startswith("+"):
            groups[int(words[0])] = int(words[1])
        else:
            groups.pop(int(words[0]), None)
    _stop(groups)


class Guard:
    """The tests' end of the pipe; the guard is started with the first process."""

    def __init__(self):
        self._popen = None

    def _tell(self, line):
        if self._popen is None:
            argv = ["/usr/bin/python3", "-I", __file__]
            self._popen = subprocess.Popen(
                argv, stdin=subprocess.PIPE, text=True, start_new_session=True, cwd="/"
            )
        try:
            self._popen.stdin.write(line + "\n")
            self._popen.stdin.flush()
        except BrokenPipeError:
            # Somebody killed the guard; the tests still stop what they start.
            pass

    def add(self, pid):
        self._tell(f"+{pid} {start_time(pid) or 0}")

    def remove(self, pid):
        self._tell(f"-{pid}")


if __name__ == "__main__":
    main()
