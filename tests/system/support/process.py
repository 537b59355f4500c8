# SPDX-License-Identifier: BSD-2-Clause
"""Programs that the tests start: output in a file, stopped by pid, and never left behind."""

import atexit
import os
import pathlib
import signal
import subprocess

from . import wait

TAIL_LINES = 40
_running = []


def tail(path, lines=TAIL_LINES):
    """The last lines of a log as text with a heading, for failure messages."""
    path = pathlib.Path(path)
    if not path.exists():
        return f"--- {path}: does not exist"
    text = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"--- {path} (last {len(text)} lines)", *text])


def start_time(pid):
    """The kernel's start time of a process, which with the pid identifies it; None if it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


class Process:
    """One program in its own session; ends with this process unless `outlive` is set."""

    def __init__(self, name, argv, folder, env=None, outlive=False):
        self.name = name
        self.argv = [str(word) for word in argv]
        self.output = pathlib.Path(folder) / f"{name}.out"
        self._env = {**os.environ, **{key: str(value) for key, value in (env or {}).items()}}
        self._outlive = outlive
        self._popen = None

    @property
    def pid(self):
        return self._popen.pid

    def start(self):
        prefix = [] if self._outlive else ["setpriv", "--pdeathsig", "TERM"]
        with open(self.output, "ab") as output:
            self._popen = subprocess.Popen(
                prefix + self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd="/",
                start_new_session=True,
            )
        _running.append(self)
        return self

    def _has_exited(self):
        # The dead leader is left unreaped, so that its pid still names our process group and nobody else's.
        options = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return self._popen.returncode is not None or os.waitid(os.P_PID, self.pid, options) is not None

    def is_alive(self):
        return self._popen is not None and not self._has_exited()

    def wait_ready(self, is_ready, seconds=10.0):
        """Wait until is_ready() holds; fail at once, with the log, if the program ends before."""

        def look():
            if not self.is_alive():
                code = self._reap()
                raise AssertionError(f"{self.name} ended with {code}\n{self.describe()}")
            return is_ready()

        wait.poll(look, seconds, f"{self.name} ready", self.describe)
        return self

    def signal(self, number):
        if self.is_alive():
            os.kill(self.pid, number)

    def wait_exit(self, seconds=10.0):
        """Wait for the program to end by itself and return its exit code."""
        wait.poll(self._has_exited, seconds, f"{self.name} ended", self.describe)
        return self._reap()

    def stop(self, seconds=15.0):
        """SIGTERM, then SIGKILL for what is left of its group; returns the exit code (negative: signal)."""
        if self._popen is None or self._popen.returncode is not None:
            return None if self._popen is None else self._popen.returncode
        try:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGTERM)
            wait.poll(self._has_exited, seconds, f"{self.name} stopped")
        except wait.Timeout:
            pass
        return self._reap()

    def kill(self):
        """SIGKILL for the whole group, as a crash would be."""
        return self._reap()

    def _reap(self):
        if self._popen.returncode is None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self._popen.wait()
        if self in _running:
            _running.remove(self)
        return self._popen.returncode

    def describe(self):
        return tail(self.output)


def stop_all():
    """Stop whatever is still running, the latest first."""
    while _running:
        _running[-1].stop(seconds=5.0)


def stop_identified(pid, started, seconds=10.0):
    """Stop a process of an earlier run, only if it still is the one that was started then."""
    if start_time(pid) != started:
        return False
    os.kill(pid, signal.SIGTERM)
    try:
        wait.poll(lambda: start_time(pid) != started, seconds, f"pid {pid} stopped")
    except wait.Timeout:
        os.kill(pid, signal.SIGKILL)
    return True


atexit.register(stop_all)
