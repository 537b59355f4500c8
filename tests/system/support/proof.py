# SPDX-License-Identifier: BSD-2-Clause
"""Which test provokes which cause, and which shows a near miss that must not raise it.

A test says so by a mark, @proof.provokes("dns.ptr") or @proof.near_miss("dns.ptr"), or by marks=
of pytest.param() for one case of a table.  A test that provokes must also have read the cause's
log line (or have handed in its words with saw()); what it read stands in the table that is
printed when the tests have run.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

FOLDER = pathlib.Path(__file__).resolve().parents[1]
LINE_LENGTH = 400  # of a log line in the table
# Where a process that only collects the tests writes the marks.
OUTPUT = "SLUICE_PROOF_OUTPUT"

# What the test that is running has read, by cause.
_seen = {}

# The marks of what this process has collected, and the files that it knows whole.
_found = {}
_files = set()


def provokes(*causes):
    return pytest.mark.provokes(*causes)


def near_miss(*causes):
    return pytest.mark.near_miss(*causes)


def both(*causes):
    """The marks of a test that provokes the causes and then shows a near miss of each."""
    return [provokes(*causes), near_miss(*causes)]


def saw(cause, line):
    """A line that says the cause was found; what support/logfile.py reads comes here by itself."""
    _seen[cause] = line


def begin():
    _seen.clear()


def _marked(item, name):
    return [cause for mark in item.iter_markers(name) for cause in mark.args]


def complaint(item):
    """What is wrong with a test that passed, or None."""
    unread = [cause for cause in _marked(item, "provokes") if cause not in _seen]
    return f"marked as provoking {', '.join(unread)}, whose line it never read" if unread else None


def note(item):
    """Keep in the test's report what it proves: the report also comes from other processes."""
    for cause in _marked(item, "provokes"):
        item.user_properties.append(("provokes", [cause, item.nodeid, _seen.get(cause, "")]))
    for cause in _marked(item, "near_miss"):
        item.user_properties.append(("near_miss", [cause, item.nodeid]))


def collected(items, is_whole):
    """What this process has collected, before any of it is deselected; is_whole: no file was asked
    for by the names of its tests. A process that was asked for it writes the marks as JSON.
    """
    _found.update(provokes={}, near_miss={})
    _files.clear()
    for item in items:
        for name, causes in _found.items():
            for cause in _marked(item, name):
                causes.setdefault(cause, []).append(item.nodeid)
        if is_whole:
            _files.add(item.path)
    path = os.environ.get(OUTPUT)
    if path is not None:
        pathlib.Path(path).write_text(json.dumps(_found))


def _collect(files, folder):
    """The same of other files, by a process of its own."""
    output = pathlib.Path(folder) / "proof.json"
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    done = subprocess.run(
        [*words, "-p", "no:xdist", *map(str, files)],
        env={**environment, OUTPUT: str(output)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        cwd=FOLDER,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(output.read_text())


def collect(folder):
    """{"provokes": {cause: [tests]}, "near_miss": ...} of all system tests, whichever were chosen
    to run."""
    others = sorted(set(FOLDER.glob("test_*.py")) - _files)
    found = {"provokes": {}, "near_miss": {}}
    if _files:
        found = {name: dict(causes) for name, causes in _found.items()}
    if others:
        for name, causes in _collect(others, folder).items():
            for cause, tests in causes.items():
                found[name][cause] = found[name].get(cause, []) + tests
    return found


# --- the table -------------------------------------------------------------------------------


def _short(nodeid):
    """Without the group behind which xdist has put it."""
    return re.sub(r"@test_\w+$", "", nodeid.rpartition("/")[2])


def documents(reports):
    """The tests behind each sentence of the documents (test_documents.py)."""
    return sorted(
        value for report in reports for name, value in report.user_properties if name == "document"
    )


def table(reports):
    """The lines of the table: each cause, what provoked it, its near miss, its log line."""
    rows = {}
    for report in reports:
        for name, value in report.user_properties:
            if name in ("provokes", "near_miss"):
                rows.setdefault(value[0], {}).setdefault(name, value[1:])
    for cause, row in sorted(rows.items()):
        provoked, line = row.get("provokes", ("-", ""))
        (near,) = row.get("near_miss", ("-",))
        yield f"{cause:<30} provoked: {_short(provoked)}  near miss: {_short(near)}"
        if line:
            yield f"    {line if len(line) <= LINE_LENGTH else line[:LINE_LENGTH] + ' ...'}"
