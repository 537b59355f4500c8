# SPDX-License-Identifier: BSD-2-Clause
"""What --help says and what the manual pages say: the same options, and only those."""

import re
import subprocess
from pathlib import Path

import pytest

from support import sluice

PAGES = Path(__file__).resolve().parents[2] / "man"
DAEMONS = ["sluice-milter", "sluice-policyd", "sluice-feedback"]
OPTION = re.compile(r"(?<![\w-])(-[a-zA-Z]|--[a-z][a-z-]+)(?![\w-])")
FLAGS = re.compile(r"\bFl ([a-zA-Z](?: , -[a-z-]+)?|-[a-z-]+)(?= |$)", re.MULTILINE)
# options of other programs, and of verbs other than the one whose help speaks of them
ELSEWHERE = {"-H"}


def options_of_help(*words):
    done = subprocess.run([sluice.program(words[0]), *words[1:], "--help"], capture_output=True, check=True,
                          text=True, timeout=20)
    return done.stdout, set(OPTION.findall(done.stdout))


def options_of_page(text):
    return {"-" + flag for group in FLAGS.findall(text) for flag in group.split(" , ")}


@pytest.mark.parametrize("name", DAEMONS)
def test_daemon(name):
    _, helped = options_of_help(name)
    assert options_of_page((PAGES / f"{name}.8").read_text()) == helped


def test_sluicectl():
    page = (PAGES / "sluicectl.8").read_text()
    summary, helped = options_of_help("sluicectl")
    columns = [(line[2:11], line[41:50]) for line in summary.split("\n\n")[1].splitlines()]
    verbs = [name.strip() for row in columns for name in row if name]
    assert len(verbs) >= 22
    for verb in verbs:
        assert f"\n.It Cm {verb}" in page, f"no entry for {verb}"
        helped |= options_of_help("sluicectl", verb)[1]
    assert options_of_page(page) - ELSEWHERE == helped - ELSEWHERE
