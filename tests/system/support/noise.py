# SPDX-License-Identifier: BSD-2-Clause
"""How late this machine is: what a test that measures time has to forgive.

While it runs, an octet goes to another process and back every hundredth of a second, as a question
to a daemon does. On a machine that is quiet that takes no time, and a promise is tested to the
millisecond; on one that is busy, the worst of these ways says what the machine alone may have cost.
"""

import subprocess
import threading
import time

PAUSE_SEC = 0.01
# A way of one octet needs less of the machine than a message, whose way leads through several
# processes, and twice.
FACTOR = 6

_running = None


class _Echo:
    def __init__(self):
        pipe = subprocess.PIPE
        self._cat = subprocess.Popen(["cat"], stdin=pipe, stdout=pipe, bufsize=0)
        self._stopping = threading.Event()
        self.worst = 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while True:
            before = time.monotonic()
            if self._stopping.wait(PAUSE_SEC):
                return
            self._cat.stdin.write(b".")
            self._cat.stdout.read(1)
            self.worst = max(self.worst, time.monotonic() - before - PAUSE_SEC)

    def stop(self):
        self._stopping.set()
        self._thread.join()
        self._cat.stdin.close()
        self._cat.wait()
        self._cat.stdout.close()


def start():
    """Listen from now on, until the test ends."""
    global _running
    if _running is None:
        _running = _Echo()


def stop():
    global _running
    if _running is not None:
        _running.stop()
        _running = None


def late():
    """How many seconds more than promised the machine may have cost so far."""
    return FACTOR * _running.worst if _running is not None else 0.0


def assert_within(seconds, most):
    """None of these times is longer, but for what the machine costs."""
    allowed = most + late()
    assert max(seconds) < allowed, f"over {allowed:.3f} s: {sorted(seconds)[-10:]}"
