# SPDX-License-Identifier: BSD-2-Clause
"""sluice-feedback follows systemd's journal: no line is lost and none is told twice, over restarts,
kills and new files of the journal.
"""

import random
import subprocess

import pytest

from support import sluice, wait
from support.feedback import Feedback
from support.journal import PROGRAM, Journal

SECONDS = wait.SECONDS


@pytest.fixture
def journal(folder):
    if not PROGRAM.exists():
        pytest.skip("package systemd-journal-remote is missing")
    empty = folder / "empty.conf"
    empty.touch()
    words = ["-c", empty, "-o", "mail-log=journal:/nowhere", "-o", "store=memory:"]
    said = subprocess.run(
        [sluice.program("sluice-feedback"), *words, "-o", "log=stderr", "-o", "state-directory="],
        capture_output=True, text=True, check=False,
    )
    if "without the journal" in said.stderr:
        pytest.skip("built without libsystemd")
    assert said.returncode == 69 and "cannot read the journal in /nowhere" in said.stderr
    made = Journal(folder)
    yield made
    made.stop()


@pytest.fixture
def feedback(run, folder, journal):
    def start(**options):
        daemon = run(Feedback(folder, journal, **options))
        daemon.log.wait(event="started", seconds=SECONDS)
        return daemon

    return start


def wait_told(daemon, told):
    """Every one of them has one line, and nothing else has any."""
    wait.poll(
        lambda: set(told) <= set(daemon.counts()), SECONDS, f"{len(told)} lines", daemon.describe
    )
    assert dict(daemon.counts()) == dict.fromkeys(told, 1)


def test_follows_the_journal(feedback, journal):
    """Also into its next file, and over a restart; of other facilities nothing is taken."""
    told = [journal.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    said = "to=<x@example.net>, relay=none, delay=1, dsn=5.1.1, status=bounced (no such user)"
    journal.entry("postfix/smtp", f"B000000001: {said}", facility=3)
    told.append(journal.bounce())
    journal.line("cleanup", "B000000002: message-id=<two\nlines@example.test>")
    wait_told(daemon, told)
    journal.rotate()
    told += [journal.bounce() for _ in range(20)]
    wait_told(daemon, told)
    journal.sender("C000000001", "alice@example.test")
    daemon.stop()
    told += [journal.bounce() for _ in range(20)] + ["C000000001"]
    journal.rotate()
    journal.delivery("C000000001", "x@example.net", "bounced", "5.1.1", "550 5.1.1 No such user")
    daemon.start()
    wait_told(daemon, told)
    (last,) = daemon.deliveries(queue_id="C000000001")
    assert last["user"] == "alice@example.test" and last["pos"].startswith("0:")


def test_killed_again_and_again(feedback, journal, make_redis):
    redis = make_redis()
    daemon = feedback(store=f"unix:{redis.socket}")
    chance = random.Random(2)
    told = []
    for number in range(6):
        told += [journal.bounce() for _ in range(chance.randrange(1, 100))]
        enough = chance.randrange(len(told))
        wait.poll(lambda: len(daemon.counts()) >= enough, SECONDS, "some lines", daemon.describe)
        daemon.kill()
        if number == 3:
            journal.rotate()
        daemon.start()
    wait_told(daemon, told)


def test_told_before_the_place_was_kept(feedback, journal):
    """A kill between a line of ours and its place: the line is found in the journal, or in our log.
    """
    told = [journal.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    (place,) = daemon.state.glob("*.place")
    kept = place.read_bytes()
    for own_log in (True, False):
        told.append(journal.bounce())
        wait_told(daemon, told)
        daemon.kill()
        place.write_bytes(kept)
        if not own_log:
            line = daemon.log.path.read_text().splitlines()[-1]
            journal.entry("sluice-feedback", line[line.index(f"{told[-1]}: event=") :])
            daemon.log.path.write_text("")
            told = told[:0]
        daemon.start()
        told.append(journal.bounce())
        wait_told(daemon, told)
        kept = place.read_bytes()
