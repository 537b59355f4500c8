# SPDX-License-Identifier: BSD-2-Clause
"""Reading the daemons' log: each line as a dict of its fields, under the names that the log
promises.
"""

import json
import pathlib
import re

from . import process, proof, wait

# 2026-11-21T10:00:00+00:00 host program[pid]: QUEUEID: name=value ...
HEAD = re.compile(
    r"^(?P<time>\S+) (?P<host>\S+) (?P<program>[\w-]+)\[(?P<pid>\d+)\]: "
    r"(?P<queue_id>\S+): (?P<rest>.*)$"
)
FIELD = re.compile(r'(?P<name>[a-z][a-z0-9_-]*)=(?P<value>"(?:[^"\\]|\\.)*"|[^\s"=]*)(?: |$)')
ESCAPE = re.compile(r"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)")
LETTERS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _unescape(match):
    code = match.group(1)
    if code[0] == "x" and len(code) > 1:
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    return LETTERS.get(code, code)


def parse_fields(text):
    """key=value fields with C-escaped quoted values; ValueError where the text is anything else."""
    fields, at = {}, 0
    while at < len(text):
        match = FIELD.match(text, at)
        if not match:
            raise ValueError(f"not a field at column {at}: {text!r}")
        name, value = match["name"], match["value"]
        if name in fields:
            raise ValueError(f"field {name} occurs twice: {text!r}")
        fields[name] = ESCAPE.sub(_unescape, value[1:-1]) if value.startswith('"') else value
        at = match.end()
    return fields


def parse_line(line):
    """One line as a dict; program, pid and queue_id are in it too. ValueError if it is no log line
    of ours.
    """
    if line.startswith("{"):
        return json.loads(line)
    match = HEAD.match(line)
    if not match:
        raise ValueError(f"not a log line: {line!r}")
    head = {name: match[name] for name in ("program", "pid", "queue_id")}
    return {**head, **parse_fields(match["rest"])}


def _without_head(line):
    match = HEAD.match(line)
    return f"{match['queue_id']}: {match['rest']}" if match else line


def _field_name(argument):
    """The field that a keyword argument asks for: from_ is from, retry_after is retry-after."""
    return argument if argument == "queue_id" else argument.rstrip("_").replace("_", "-")


def _matches(event, wanted):
    return all(event.get(_field_name(name)) == str(value) for name, value in wanted.items())


class LogFile:
    """A daemon's log file. Fields are asked for by name; a - is written _, and from_ stands for
    from.
    """

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self._mark = 0

    def text(self):
        return self.path.read_text(errors="surrogateescape") if self.path.exists() else ""

    def mark(self):
        """Forget what is in the log so far."""
        self._mark = len(self.text())

    def lines(self):
        """All complete lines since the mark."""
        return self.text()[self._mark :].split("\n")[:-1]

    def events(self, **wanted):
        """Those lines, as dicts, whose fields are as wanted."""
        found = []
        for line in self.lines():
            event = parse_line(line)
            if _matches(event, wanted):
                found.append(event)
                if "cause" in event:
                    proof.saw(event["cause"], _without_head(line))
        return found

    def wait(self, seconds=wait.SECONDS, **wanted):
        """The first event with these fields, waiting for it."""
        what = " ".join(f"{name}={value}" for name, value in wanted.items())
        events = wait.poll(
            lambda: self.events(**wanted), seconds, f"log line {what}", self.describe
        )
        return events[0]

    def describe(self):
        return process.tail(self.path)
