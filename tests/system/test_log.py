# SPDX-License-Identifier: BSD-2-Clause
"""The log, whatever is written into it and whatever becomes of where it goes."""

import subprocess

import pytest

from support import counting, logfile, noise, policy, site as site_module, sluice, smtp
from support import syslog, wait
from support.counting import SENDER, Charger, Load

DOMAIN = site_module.DOMAIN
LIMIT = "limit daily { subject = user  count = messages  max = 1000000  per = 24h  near = 0 }\n"
QUIET = counting.NO_DNS + LIMIT
BAD = "bob@example..net"
KEPT_OCTETS = 4 * 1024 * 1024


@pytest.fixture
def policyd(run, folder):
    """The policy daemon alone, which writes where it is told: policyd("syslog:/path", ...)."""

    def start(log, options=None, sections=QUIET):
        path = folder / "policy.sock"
        base = {
            "mode": "enforce",
            "hostname": site_module.HOSTNAME,
            "store": '"memory:"',
            "state-directory": '""',
            "policy-listen": f'{{"unix:{path}"}}',
        }
        config = sluice.Config(folder, {**base, **(options or {})}, sections)
        daemon = run(
            sluice.Daemon("sluice-policyd", folder, config, [path], overrides={"log": log})
        )
        daemon.socket, daemon.config = path, config
        return daemon

    return start


# --- what others write

EVIL = 'a b\\"c=d event=message verdict=accept'
HOSTILE_SENDERS = {
    "quoted": (f'"{EVIL}"@example.net', ()),
    "backslash": ('"a\\\\b"@example.net', ()),
    "controls": ('"a\x01\x1b[1m\x7f"@example.net', ()),
    "unicode": ("gr\u00fc\u00dfe@example.net", ("SMTPUTF8",)),
    "line-separators": ('"x\u2028event=cause\u2029\u0085y"@example.net', ("SMTPUTF8",)),
    "direction": ('"\u202etxt.exe"@example.net', ("SMTPUTF8",)),
}


@pytest.fixture(scope="module", params=["text", "json"])
def shared(request, module_site):
    """Postfix with both daemons, once for each format."""
    sections = LIMIT + "cause account.sender-mismatch { action = log }\n"
    return module_site(options={"log-format": request.param}, sections=sections)


def events_of(daemon):
    """Every line, parsed; one that is broken or forged is an error."""
    events = daemon.log.events()
    known = ("started", "reloaded", "key-state", "message", "cause")
    assert all(event["event"] in known for event in events)
    return events


@pytest.mark.parametrize("name", HOSTILE_SENDERS)
def test_senders_break_no_line(shared, name):
    sender, options = HOSTILE_SENDERS[name]
    for daemon in (shared.policyd, shared.milter):
        daemon.log.mark()
    data = smtp.message(SENDER, ["bob@example.net"])
    with shared.client("alice") as client:
        outcome = client.send(sender, [f'"{EVIL}"@example.net'], data, options=options)
    assert outcome.accepted, outcome
    for daemon in (shared.policyd, shared.milter):
        line = daemon.log.wait(event="message", queue_id=outcome.queue_id)
        found = [each for each in events_of(daemon) if each["event"] == "message"]
        assert len(found) == 1 and line["verdict"] in ("accept", "warn")
        assert line["user"] == SENDER and line["from"].endswith("@example.net")
        for text in daemon.log.lines():
            assert all(letter.isprintable() for letter in text), text
        if name in ("quoted", "unicode"):
            assert line["from"].strip('"') == sender.strip('"')


HOSTILE_HEADERS = [
    f'"x\\" event=message" <"{EVIL}"@example.net>',
    "=?utf-8?q?a=0Aevent=3Dcause?= <bob@example.test>",
    "a\r\n event=message verdict=reject <bob@example.test>",
    "\x01\x02 <b\x03b@example.test>",
    "<bob@example.test>, <" + "x" * 2000 + "@example.test>",
]


@pytest.mark.parametrize("number", range(len(HOSTILE_HEADERS)))
def test_headers_break_no_line(shared, number):
    shared.milter.log.mark()
    text = f"From: {HOSTILE_HEADERS[number]}\r\nSubject: x\r\n\r\nHello.\r\n"
    with shared.client("alice") as client:
        outcome = client.send(SENDER, ["bob@example.net"], text.encode())
    assert outcome.accepted, outcome
    shared.milter.log.wait(event="message", queue_id=outcome.queue_id)
    found = events_of(shared.milter)
    assert [each["event"] for each in found].count("message") == 1
    # The daemon may have something to say of itself meanwhile, which is no message's.
    causes = [each for each in found if each["event"] == "cause"]
    ours = [each for each in causes if not each["cause"].startswith("self.")]
    assert all(each["queue_id"] == outcome.queue_id for each in ours)


@pytest.mark.parametrize("form", ["text", "json"])
def test_logins_and_names_break_no_line(policyd, folder, form):
    """What Postfix would never send, but another client of the socket might."""
    path = folder / "log"
    daemon = policyd(f"file:{path}", {"log-format": form})
    log = logfile.LogFile(path)
    values = [EVIL, 'x" cause=y', "\xff\xfe", "a\rb", "\u2028", "\\", '"', "=", " ", "a\tb", "ü"]
    with policy.Client(daemon.socket) as client:
        for number, value in enumerate(values):
            client.message(f"Q{number}", ["bob@example.net"], sasl_username=value, helo_name=value)
            end = {"protocol_state": "END-OF-MESSAGE", "recipient_count": 1, "recipient": BAD}
            client.ask(instance=f"x{number}", sender=value, queue_id=f"x{value}: y", **end)
    found = log.events(event="message")
    assert len(found) == 2 * len(values)
    assert EVIL in {each.get("user") for each in found}
    assert all(" " not in each["queue_id"] and ":" not in each["queue_id"] for each in found)


@pytest.mark.parametrize("form", ["text", "json"])
def test_long_lines_are_cut_at_a_field(policyd, folder, form):
    path = folder / "log"
    daemon = policyd(f"file:{path}", {"log-format": form})
    log = logfile.LogFile(path)
    long = ".".join(["x" * 60] * 4)
    with policy.Client(daemon.socket) as client:
        client.message(
            "Q1", [f"{'r' * 64}@{long}..net"], sasl_username=f"{'u' * 60}@{long}.net",
            sender=f"{'s' * 60}@{long}.net",
        )  # fmt: skip
    found = log.events()
    cut = [each for each in found if each.get("truncated") == "yes"]
    assert cut and "rcpt" not in cut[0] and cut[0]["user"].endswith(".net")
    for line in log.lines():
        rest = line if form == "json" else line.partition("]: ")[2]
        assert len(rest.encode()) <= 1000 + (100 if form == "json" else 0)


# --- files


def test_rotation(station):
    """Renamed under load, then SIGHUP: every line is in one of the files."""
    place = station(sections=QUIET, resolver=False, parts=sluice.DAEMONS)
    makers = [lambda n=n: Charger(place.policy_socket, f"{n}.") for n in range(3)]
    makers += [lambda n=n: counting.MilterCharger(place.milter_socket, f"M{n}.") for n in range(2)]
    logs = [daemon.log for daemon in (place.policyd, place.milter)]
    with Load(makers) as load:
        for number in range(3):
            seen = len(load.answers)
            wait.poll(lambda s=seen: len(load.answers) > s + 50, what="messages")
            for log in logs:
                log.path.rename(f"{log.path}.{number}")
            for daemon in (place.policyd, place.milter):
                daemon.reload()
            wait.poll(lambda: all(log.events(event="reloaded") for log in logs), what="reloads")
    lines = []
    for log in logs:
        for path in [log.path, *log.path.parent.glob("log.*")]:
            lines += logfile.LogFile(path).events(event="message")
    assert sorted(line["queue_id"] for line in lines) == sorted(
        answer.queue_id for answer in load.answers
    )


def test_a_file_that_may_not_grow(policyd, folder):
    """Nobody waits, lines are kept, and written when there is room: in order, whole."""
    path = folder / "log"
    daemon = policyd(f"file:{path}")
    log = logfile.LogFile(path)
    with Charger(daemon.socket) as one:
        one.messages(5)
        daemon.limit_files(path.stat().st_size + 500)
        answers = one.messages(100)
        assert all(each.accepted for each in answers)
        counting.assert_nobody_waits([each.seconds for each in answers], 0.5)
        assert len(log.events(event="message")) < 10
        daemon.limit_files(None)
        wait.poll(lambda: len(log.events(event="message")) == 105, what="the lines kept")
    queue_ids = [event["queue_id"] for event in log.events(event="message")]
    assert queue_ids == [f"Q{number}" for number in range(1, 106)]
    assert not log.events(event="log")


@pytest.fixture
def small_disk(folder):
    """A file system of its own with little room."""
    path = folder / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(path)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def fill(disk):
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1024))
        except OSError:
            return filler


def test_a_full_disk(policyd, small_disk):
    path = small_disk / "log"
    daemon = policyd(f"file:{path}")
    log = logfile.LogFile(path)
    with Charger(daemon.socket) as one:
        one.message()
        filler = fill(small_disk)
        answers = one.messages(100)
        assert all(each.accepted for each in answers)
        counting.assert_nobody_waits([each.seconds for each in answers], 0.5)
        filler.unlink()
        wait.poll(lambda: len(log.events(event="message")) == 101, what="the lines kept")
    assert not log.events(event="log")


def test_lost_lines_are_counted(policyd, folder):
    """More than is kept: how many are missing stands where they would have stood."""
    path = folder / "log"
    daemon = policyd(f"file:{path}")
    log = logfile.LogFile(path)
    long = ".".join(["x" * 60] * 3)
    refused = {
        "recipient": f"{'r' * 60}@{long}..net",
        "sender": f"{'s' * 60}@{long}.net",
        "sasl_username": "",
        "server_port": "25",
    }
    with policy.Client(daemon.socket, timeout=120) as client:
        empty = path.stat().st_size
        assert client.ask(instance="first", **refused).startswith("501 ")
        each = path.stat().st_size - empty
        daemon.limit_files(path.stat().st_size)
        rounds = KEPT_OCTETS * 5 // 4 // each // 100 + 3
        for number in range(rounds):
            asked = [policy.request(instance=f"{number}.{n}", **refused) for n in range(100)]
            client.send(b"".join(asked))
            assert all(client.answer().startswith("501 ") for _ in asked)
        noise.start()
        noise.assert_within([wait.timed(lambda: client.ask(instance="last", **refused))[1]], 0.5)
        assert sluice.is_sanitized() or int(fields(daemon.pid)["VmRSS"]) < 32 * 1024
        daemon.limit_files(None)
        lost = int(log.wait(event="log")["lost"])
    # Two for each that was asked; the one about the start, and the one about those that are lost.
    written = 2 * (rounds * 100 + 2) + 2 - lost
    assert lost > 100
    wait.poll(lambda: len(log.lines()) == written, what="all the others")


def fields(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return {line.split(":")[0]: (line.split() + [""])[1] for line in file}


def test_the_journal_on_a_full_disk(run, folder, make_redis):
    """What cannot be written is kept in memory and handed in all the same."""
    store = make_redis(durable=True)
    destination = run(syslog.Syslog(folder / "syslog"))
    path = folder / "policy.sock"
    config = sluice.Config(
        folder,
        {
            "mode": "enforce",
            "hostname": site_module.HOSTNAME,
            "store": f'"unix:{store.socket}"',
            "store-timeout": "3s",
            "state-directory": f'"{folder}"',
            "policy-listen": f'{{"unix:{path}"}}',
        },
        QUIET,
    )
    overrides = {"log": f"syslog:{destination.path}"}
    daemon = run(sluice.Daemon("sluice-policyd", folder, config, [path], overrides=overrides))
    journal = folder / "sluice-policyd.journal"
    with Charger(path) as one:
        one.message()
        store.kill()
        one.messages(3)
        daemon.limit_files(journal.stat().st_size + 20)
        assert all(each.accepted for each in one.messages(5))
        trouble = destination.wait(event="store-disk", state="trouble")
        assert "the journal cannot be written" in trouble["problem"]
        daemon.limit_files(None)
        assert one.message().accepted
        destination.wait(event="store-disk", state="saved")
        store.start()
        back = destination.wait(cause="self.store-down", state="up")
        assert (back["replayed"], back["lost"]) == ("9", "0")
    assert counting.used(None, ctl=sluice.Ctl(config))["daily"] == 10


# --- syslog


def test_syslog(run, policyd, folder):
    destination = run(syslog.Syslog(folder / "syslog"))
    daemon = policyd(f"syslog:{destination.path}", {"log-facility": "local3"})
    with Charger(daemon.socket) as one:
        one.message()
        assert destination.wait(event="message", queue_id="Q1")["priority"] == str(19 * 8 + 6)
    with policy.Client(daemon.socket) as client:
        client.ask(recipient=BAD)
    refused = destination.wait(event="message", verdict="reject")
    assert refused["priority"] == str(19 * 8 + 5)


def test_syslog_that_comes_later_and_goes_away(policyd, folder):
    """Lines are kept while nobody takes them, as at boot or while syslog is upgraded."""
    destination = syslog.Syslog(folder / "syslog")
    daemon = policyd(f"syslog:{destination.path}")
    count = 0
    with Charger(daemon.socket) as one:
        try:
            for _ in range(2):
                answers = one.messages(8)
                counting.assert_nobody_waits([each.seconds for each in answers], 0.5)
                destination.start()
                count += 8
                wait.poll(
                    lambda: len(destination.events(event="message")) == count, what="all lines"
                )
                destination.stop()
        finally:
            destination.stop()


def test_syslog_that_reads_nothing(run, policyd, folder):
    destination = run(syslog.Syslog(folder / "syslog"))
    daemon = policyd(f"syslog:{destination.path}")
    with Charger(daemon.socket) as one:
        answers = one.messages(500)
        counting.assert_nobody_waits([each.seconds for each in answers], 0.5)
        wait.poll(lambda: len(destination.events(event="message")) == 500, what="all lines")
    queue_ids = [event["queue_id"] for event in destination.events(event="message")]
    assert queue_ids == [f"Q{number}" for number in range(1, 501)]


def test_the_destination_changes_with_a_reload(run, station, folder):
    """From file to syslog and back, and from text to JSON."""
    destination = run(syslog.Syslog(folder / "syslog"))
    place = station(sections=QUIET, resolver=False)
    place.config.options["log"] = f'"file:{place.policyd.log.path}"'
    place.policyd.command = lambda: [sluice.program("sluice-policyd"), "-c", place.config.path]
    place.policyd.restart()
    with Charger(place.policy_socket) as one:
        one.message()
        place.config.options["log"] = f'"syslog:{destination.path}"'
        place.policyd.reload()
        destination.wait(event="reloaded")
        one.message()
        assert destination.wait(event="message")["queue_id"] == "Q2"
        place.policyd.log.mark()
        place.config.options["log"] = f'"file:{place.policyd.log.path}"'
        place.config.options["log-format"] = "json"
        place.policyd.reload()
        place.policyd.log.wait(event="reloaded")
        one.message()
        assert place.policyd.log.lines()[-1].startswith("{")
        assert place.policyd.log.wait(event="message")["queue_id"] == "Q3"
