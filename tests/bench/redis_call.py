# SPDX-License-Identifier: BSD-2-Clause
"""The EVALSHA that a daemon sends, seen once and then sent many times by redis-benchmark."""

import csv
import pathlib
import re
import subprocess

# MONITOR quotes as C does.
WORD = re.compile(rb'"((?:[^"\\]|\\.)*)"')
ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)")
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"a": b"\a", b"b": b"\b"}
RANDOM = b"__rand_int__"
SCRIPT = [pathlib.Path(__file__).resolve().parents[2] / "lib/store" / part for part in ("distinct.lua", "charge.lua", "notes.lua")]
PLAN = "ARGV[#ARGV]"


def _unescape(match):
    code = match.group(1)
    return bytes([int(code[1:], 16)]) if len(code) == 3 else LETTERS.get(code, code)


def parse_monitor(line):
    """The words of one line of MONITOR."""
    return [ESCAPE.sub(_unescape, match.group(1)) for match in WORD.finditer(line)]


def _vary(key):
    """A key for another user and another message each time; redis-benchmark has one range for all numbers."""
    if key.startswith(b"sluice:{msg:"):
        return re.sub(rb"/[^}]*}", b"/" + RANDOM * 4 + b"}", key)
    return re.sub(rb"user[0-9]+@", b"user" + RANDOM + b"@", key)


class Call:
    """words: the whole command.

    redis-benchmark cannot send the plan, its last argument, which holds NULs. So the script that it calls has the plan
    written into it; Redis has a little less to read, which is to redis-benchmark's advantage.
    """

    def __init__(self, server, words):
        count = int(words[2])
        self._server = server
        script = "".join(part.read_text() for part in SCRIPT)
        literal = "'" + "".join(f"\\{octet:03d}" for octet in words[-1]) + "'"
        assert script.count(PLAN) == 1, f"{SCRIPT[1]} does not take its plan as {PLAN}"
        with server.client() as client:
            sha = client.call("SCRIPT", "LOAD", script.replace(PLAN, literal))
        self._argv = ["EVALSHA", sha, words[2], *map(_vary, words[3 : 3 + count]), *words[3 + count : -1]]

    def run(self, connections, requests, users):
        argv = ["redis-benchmark", "-s", str(self._server.socket), "-c", str(connections), "-n", str(requests)]
        argv += ["-r", str(users), "-P", "1", "--csv"]
        done = subprocess.run([*argv, *self._argv], capture_output=True, check=False)
        rows = list(csv.DictReader(done.stdout.decode().splitlines()))
        if done.returncode != 0 or len(rows) != 1:
            raise AssertionError(f"redis-benchmark: exit {done.returncode}\n{done.stdout!r}{done.stderr!r}")
        result = {"rate": float(rows[0]["rps"])}
        for percentile in ("p50", "p95", "p99"):
            result[percentile] = float(rows[0][f"{percentile}_latency_ms"]) * 1000
        return result


def capture(server, action):
    """The last EVALSHA that the server gets while action() runs, as a Call."""
    with server.client() as watcher, server.client() as other:
        watcher.call("MONITOR")
        action()
        other.call("ECHO", "captured")
        found = None
        while True:
            line = watcher.receive().encode("utf-8", "surrogateescape")
            words = parse_monitor(line)
            if words[:1] == [b"EVALSHA"]:
                found = words
            if words == [b"ECHO", b"captured"]:
                break
    if found is None:
        raise AssertionError("the daemon sent no EVALSHA")
    return Call(server, found)
