# SPDX-License-Identifier: BSD-2-Clause
"""Programs that the tests start: output in a file, stopped by pid, and never left behind."""

import atexit
import contextlib
import os
import pathlib
import signal
import subprocess
import threading

from . import wait
from .guard import Guard, start_time

TAIL_LINES = 40
_running = []
_guard = Guard()


def tail(path, lines=TAIL_LINES):
    """The last lines of a log as text with a heading, for failure messages."""
    path = pathlib.Path(path)
    if not path.exists():
        return f"--- {path}: does not exist"
    text = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"--- {path} (last {len(text)} lines)", *text])


@contextlib.contextmanager
def _uninterrupted():
    """Put off SIGINT and SIGTERM, lest a process is born and nobody has written down its pid."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pending = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    kept = {one: signal.signal(one, lambda number, _: pending.append(number)) for one in numbers}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
        for number in pending:
            signal.raise_signal(number)


def group(leader):
    """{pid: its parent's pid} of the processes of a group, those that are dead left out."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, its_group, *_ = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(its_group) == leader and state not in "ZX":
            found[int(path.parent.name)] = int(parent)
    return found


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
        with _uninterrupted():
            self._spawn()
            if not self._outlive:
                _running.append(self)
                _guard.add(self.pid)
        return self

    def _spawn(self):
        with open(self.output, "ab") as output:
            self._popen = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._env,
                cwd="/",
                start_new_session=True,
            )

    def _has_exited(self):
        # The dead leader is left unreaped, so that its pid still names our process group and nobody
        # else's.
        options = os.WEXITED | os.WNOWAIT | os.WNOHANG
        return (
            self._popen.returncode is not None or os.waitid(os.P_PID, self.pid, options) is not None
        )

    def is_alive(self):
        return self._popen is not None and not self._has_exited()

    def catches(self, number):
        """Whether it has a handler for the signal, and does not hold it back."""
        try:
            with open(f"/proc/{self.pid}/status", encoding="ascii", errors="replace") as status:
                fields = dict(line.split(":", 1) for line in status if ":" in line)
        except OSError:
            return False
        masks = [int(fields[name], 16) >> (number - 1) & 1 for name in ("SigCgt", "SigBlk")]
        return masks == [1, 0]

    def wait_ready(self, is_ready, seconds=wait.SECONDS):
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

    def wait_exit(self, seconds=wait.SECONDS):
        """Wait for the program to end by itself and return its exit code."""
        wait.poll(self._has_exited, seconds, f"{self.name} ended", self.describe)
        return self._reap()

    def stop(self, seconds=wait.SECONDS):
        """SIGTERM, then SIGKILL for what is left of its group; returns the exit code (negative:
        signal).
        """
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
            _guard.remove(self.pid)
        return self._popen.returncode

    def describe(self):
        return tail(self.output)


class Server:
    """What every server of a site can do; a server with start() sets _process."""

    _process = None

    @property
    def pid(self):
        return self._process.pid

    def stop(self):
        if self._process is not None:
            self._process.stop()

    def restart(self):
        self.stop()
        return self.start()

    def processes(self):
        return [self._process] if self._process is not None else []

    def describe(self):
        """The end of what it printed, for failures."""
        return self._process.describe() if self._process is not None else "not started"


def stop_all():
    """Stop whatever is still running, the latest first."""
    while _running:
        _running[-1].stop(seconds=5.0)


def stop_identified(pid, started, seconds=wait.SECONDS):
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
