# SPDX-License-Identifier: BSD-2-Clause
"""Loopback ports that nobody uses, and connections to see whether somebody listens."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the kernel's usual ephemeral range, so that no outgoing connection takes a port between our
# look and its use.
FIRST, LAST = 12000, 30000

# One abstract unix socket per port that was given out, bound for as long as this process lives: so
# that another process of the tests, which looks before the port is in use, does not take it too.
_claims = {}


def _claim(port):
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0sluice-tests-port-{port}")
    except OSError:
        claim.close()
        return False
    _claims[port] = claim
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
        if _claim(port):
            if _is_free(port):
                return port
            _claims.pop(port).close()
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
