# SPDX-License-Identifier: BSD-2-Clause
"""Waiting for a condition, with a deadline; the only place where the tests sleep."""

import time

PAUSE_SEC = 0.01
# After which what is waited for will not come any more, on a machine that is ever so busy.
SECONDS = 60.0


class Timeout(AssertionError):
    """The condition did not come true in time."""


def poll(predicate, seconds=SECONDS, what="condition", on_timeout=None):
    """Call predicate until it returns something true, and return that.

    After `seconds` raise Timeout with `what` and, if given, the text that on_timeout() returns.
    """
    deadline = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() >= deadline:
            detail = f"\n{on_timeout()}" if on_timeout else ""
            raise Timeout(f"not within {seconds:g} s: {what}{detail}")
        time.sleep(PAUSE_SEC)


def timed(call):
    """What call() returns, and how many seconds that took."""
    before = time.monotonic()
    result = call()
    return result, time.monotonic() - before
