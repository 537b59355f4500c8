# SPDX-License-Identifier: BSD-2-Clause
"""Loopback ports that nobody uses, and connections to see whether somebody listens."""

import fcntl
import os
import pathlib
import random
import socket
import tempfile

LOOPBACK = "127.0.0.1"
# Below the kernel's usual ephemeral range, so that no outgoing connection takes a port between our
# look and its use; and so is what lies 10,000 above them, where the nodes of a Redis Cluster meet.
FIRST, LAST = 12000, 21999

_given = set()
# A byte of this file is locked for each port that was given out, for as long as this process lives:
# so that no other process of the tests, which looks before the port is in use, takes it too.
_claims = None


def _claim(port):
    global _claims
    if port in _given:
        return False
    if _claims is None:
        path = pathlib.Path(tempfile.gettempdir()) / f"sluice-tests-{os.getuid()}.ports"
        _claims = path.open("ab")
    try:
        fcntl.lockf(_claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _given.add(port)
    return True


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def free_port():
    """A port that is free for TCP and UDP on 127.0.0.1 and that no living process of the tests was
    given before.
    """
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if _claim(port) and _is_free(port):
            return port
    raise RuntimeError(f"no free port between {FIRST} and {LAST}")


def connect(endpoint, timeout=5.0):
    """A connected socket; endpoint is a unix path, or a port number on 127.0.0.1."""
    family, address = (
        (socket.AF_INET, (LOOPBACK, endpoint))
        if isinstance(endpoint, int)
        else (socket.AF_UNIX, str(endpoint))
    )
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def listens(endpoint):
    """True if a connection to the unix path or port succeeds."""
    try:
        connect(endpoint, 1.0).close()
    except OSError:
        return False
    return True
