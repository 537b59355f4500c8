# SPDX-License-Identifier: BSD-2-Clause
"""Loopback ports that nobody uses, and connections to see whether somebody listens."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the kernel's usual ephemeral range, so that no outgoing connection takes a port between our
# look and its use.
FIRST, LAST = 12000, 30000

_given = set()


def _is_free(port):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                return False
    return True


def free_port():
    """A port that is free for TCP and UDP on 127.0.0.1 and was not given out before by this
    process.
    """
    for _ in range(1000):
        port = random.randint(FIRST, LAST)
        if port not in _given and _is_free(port):
            _given.add(port)
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
