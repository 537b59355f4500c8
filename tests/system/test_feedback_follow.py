# SPDX-License-Identifier: BSD-2-Clause
"""sluice-feedback follows the MTA's log: over rotation of every kind, restarts and kills no line is
lost and none is told twice.
"""

import gzip
import os
import pathlib
import random
import shutil
import threading

import pytest

from support import wait
from support.feedback import Feedback, MailLog, time_text

SECONDS = wait.SECONDS


@pytest.fixture
def mail(folder):
    return MailLog(folder / "mail.log")


@pytest.fixture
def feedback(run, folder, mail):
    def start(**options):
        daemon = run(Feedback(folder, mail, **options))
        daemon.log.wait(event="started", seconds=SECONDS)
        return daemon

    return start


def wait_told(daemon, queue_ids):
    """Every one of them has one line, and nothing else has any."""
    wanted = set(queue_ids)
    wait.poll(
        lambda: wanted <= set(daemon.counts()), SECONDS, f"{len(wanted)} lines", daemon.describe
    )
    counts = daemon.counts()
    assert set(counts) == wanted
    assert [queue_id for queue_id, count in counts.items() if count != 1] == []


def test_grows_and_is_renamed(feedback, mail):
    told = [mail.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    told.append(mail.bounce())
    wait_told(daemon, told)
    old = mail.rename("mail.log.1")
    # The writer has not been told yet.
    with open(old, "a", encoding="utf-8") as file:
        line = old.read_text().splitlines()[-1].replace(told[-1], "AFACE00001")
        file.write(line + "\n")
    told += ["AFACE00001", mail.bounce()]
    wait_told(daemon, told)


def test_is_copied_and_truncated(feedback, mail):
    told = [mail.bounce() for _ in range(20)]
    daemon = feedback()
    wait_told(daemon, told)
    shutil.copy(mail.path, mail.path.with_name("mail.log.1"))
    os.truncate(mail.path, 0)
    # It has grown beyond where it was before anybody looks.
    told += [mail.bounce() for _ in range(40)]
    wait_told(daemon, told)


def test_rotated_while_it_was_away(feedback, mail):
    """Twice, the older one compressed: all three files are read on from the place."""
    told = [mail.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    daemon.stop()
    told += [mail.bounce() for _ in range(3)]
    first = mail.rename("mail.log.2")
    with gzip.open(f"{first}.gz", "wb") as file:
        file.write(first.read_bytes())
    os.utime(f"{first}.gz", (first.stat().st_mtime, first.stat().st_mtime))
    first.unlink()
    told += [mail.bounce() for _ in range(3)]
    mail.rename("mail.log.1")
    told += [mail.bounce() for _ in range(3)]
    daemon.start()
    wait_told(daemon, told)


def test_first_read_begins_with_the_old_ones(feedback, mail):
    told = [mail.bounce()]
    with gzip.open(mail.path.with_name("mail.log.1.gz"), "wb") as file:
        file.write(mail.path.read_bytes())
    mail.path.unlink()
    told.append(mail.bounce())
    daemon = feedback()
    wait_told(daemon, told)
    assert [event["queue_id"] for event in daemon.deliveries()] == told


def test_killed_again_and_again(feedback, mail, make_redis):
    """A dozen kills at any time, while lines come and the log is rotated both ways."""
    redis = make_redis()
    daemon = feedback(store=f"unix:{redis.socket}")
    told = []
    chance = random.Random(1)
    ended = threading.Event()

    def write():
        while not ended.is_set():
            told.append(mail.bounce())
            ended.wait(0.001)

    for number in range(12):
        ended.clear()
        writer = threading.Thread(target=write)
        writer.start()
        enough = len(told) + chance.randrange(60)
        wait.poll(lambda: len(daemon.counts()) >= enough, SECONDS, "some lines", daemon.describe)
        daemon.kill()
        if number == 4:
            mail.rename("mail.log.1")
        daemon.start()
        ended.set()
        writer.join()
        if number == 8:
            wait_told(daemon, told)
            shutil.copy(mail.path, mail.path.with_name("mail.log.2"))
            os.truncate(mail.path, 0)
    wait_told(daemon, told)


def test_told_before_the_place_was_kept(feedback, mail):
    """A kill between a line of ours and its place: our log has the line. Those that it has of the
    file before it was truncated are no places in what the file is now.
    """
    told = [mail.bounce() for _ in range(30)]
    daemon = feedback()
    wait_told(daemon, told)
    (place,) = daemon.state.glob("*.place")
    for truncated in (False, True):
        if truncated:
            shutil.copy(mail.path, mail.path.with_name("mail.log.1"))
            os.truncate(mail.path, 0)
            told.append(mail.bounce())
            wait_told(daemon, told)
        kept = place.read_bytes()
        told.append(mail.bounce())
        wait_told(daemon, told)
        daemon.kill()
        place.write_bytes(kept)
        daemon.start()
        told.append(mail.bounce())
        wait_told(daemon, told)


def test_killed_within_a_line(feedback, mail):
    """Sendmail names several recipients in one line: a kill among their lines of ours."""
    told = [mail.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    (place,) = daemon.state.glob("*.place")
    kept, before = place.read_bytes(), len(daemon.log.path.read_bytes())
    people = [f"r{number}@example.net" for number in range(5)]
    mail.write(
        f"{time_text()} mx sendmail[7]: 5AL701Xw012345: to={','.join(f'<{one}>' for one in people)}, "
        "delay=00:00:02, xdelay=00:00:01, mailer=esmtp, pri=120345, relay=mx.example.net. "
        "[192.0.2.9], dsn=5.1.1, stat=User unknown\n"
    )
    mine = {"queue_id": "5AL701Xw012345"}
    wait.poll(lambda: len(daemon.deliveries(**mine)) == 5, SECONDS, "5 lines", daemon.describe)
    daemon.kill()
    place.write_bytes(kept)
    lines = daemon.log.path.read_bytes()[before:].splitlines(keepends=True)
    first = [line for line in lines if b"event=delivery" in line][:2]
    os.truncate(daemon.log.path, before)
    with open(daemon.log.path, "ab") as file:
        file.write(b"".join(first))
    daemon.start()
    told.append(mail.bounce())
    wait.poll(
        lambda: daemon.deliveries(queue_id=told[-1]), SECONDS, "the next line", daemon.describe
    )
    assert [event["rcpt"] for event in daemon.deliveries(**mine)] == people


def memory(daemon):
    """The most that it has had so far, in MiB."""
    (line,) = [
        line
        for line in pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) / 1024


def test_long_and_broken_lines(feedback, mail):
    """A line of ten megabytes, octets that are no text, and no newline at the end."""
    told = [mail.bounce()]
    daemon = feedback()
    wait_told(daemon, told)
    before = memory(daemon)
    mail.write("x" * 10_000_000 + "\n")
    with open(mail.path, "ab") as file:
        file.write(bytes(range(256)) * 10 + b"\n" + b"\0" * 1000 + b"\n")
    told.append(mail.bounce())
    wait_told(daemon, told)
    after = memory(daemon)
    print(f"RSS {before:.1f} MiB, behind ten megabytes in one line {after:.1f} MiB")
    assert after < before + 8
    half = mail.path.read_text(errors="replace").splitlines()[-1].replace(told[-1], "ABADE00001")
    mail.write(half[:100])
    told.append("ABADE00001")
    mail.write(half[100:] + "\n")
    wait_told(daemon, told)
    daemon.kill()
    daemon.start()
    told.append(mail.bounce())
    wait_told(daemon, told)


def test_log_that_comes_later(feedback, mail):
    """It is waited for, and what keeps it from being read is said once."""
    mail.path.unlink()
    daemon = feedback()
    trouble = daemon.log.wait(event="mail-log", state="trouble", seconds=SECONDS)
    assert trouble["log"] == str(mail.path) and "No such file" in trouble["problem"]
    told = [mail.bounce()]
    wait_told(daemon, told)
    daemon.log.wait(event="mail-log", state="reading", seconds=SECONDS)
    mail.rename("mail.log.1")
    mail.path.mkdir()
    (mail.path / "file").touch()
    trouble = wait.poll(
        lambda: daemon.log.events(event="mail-log", state="trouble")[1:], SECONDS, "more trouble"
    )
    assert "Is a directory" in trouble[0]["problem"]
    shutil.rmtree(mail.path)
    told.append(mail.bounce())
    wait_told(daemon, told)


def test_log_that_is_a_folder(folder, mail):
    mail.path.unlink()
    mail.path.mkdir()
    code, said = Feedback(folder, mail).run()
    assert code == 69 and f"cannot read {mail.path}: Is a directory" in said


def test_sender_is_known_after_a_restart(feedback, mail):
    daemon = feedback()
    mail.sender("B000000001", "alice@example.test")
    mail.delivery("B000000001", "x@example.net", "deferred", "4.2.2", "452 4.2.2 Mailbox full")
    daemon.log.wait(queue_id="B000000001", attempt="1", user="alice@example.test", seconds=SECONDS)
    daemon.kill()
    daemon.start()
    mail.delivery("B000000001", "x@example.net", "deferred", "4.2.2", "452 4.2.2 Mailbox full")
    event = daemon.log.wait(queue_id="B000000001", attempt="2", seconds=SECONDS)
    assert event["user"] == "alice@example.test"
    assert event["cause"] == "recipient.mailbox-full"
    assert len(daemon.deliveries()) == 2


def test_summary_of_many(feedback, mail):
    """The summary of the minute that was begun comes at the end at the latest."""
    daemon = feedback(options={"delivery-summary": 5})
    wait_told(daemon, [mail.bounce() for _ in range(8)])
    daemon.stop()
    summary = daemon.log.events(event="delivery-summary")
    assert [(one["cause"], one["n"], one["top-domain"]) for one in summary] == [
        ("recipient.unknown", "8", "example.net:8")
    ]
