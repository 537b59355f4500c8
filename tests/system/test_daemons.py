# SPDX-License-Identifier: BSD-2-Clause
"""Both daemons as a host runs them: started, reloaded under load, drained, with few rights."""

import concurrent.futures
import grp
import itertools
import pathlib
import pwd
import signal
import stat
import threading

import pytest

from support import counting, milter, policy, preload, site as site_module, sluice, smtp, systemd, wait
from support.counting import RECIPIENT, SENDER, Charger, Load, MilterCharger

LIMIT = "limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }\n"
QUIET = counting.NO_DNS + LIMIT


def daemon_of(place, name):
    return next(each for each in (place.policyd, place.milter) if each.name == name)


def socket_of(place, name):
    return place.policy_socket if name == "sluice-policyd" else place.milter_socket


def connect(place, name, label="Q"):
    charger = Charger if name == "sluice-policyd" else MilterCharger
    return charger(socket_of(place, name), label)


@pytest.fixture
def quiet(station):
    """Both daemons, Redis, no resolver."""

    def start(sections=QUIET, **options):
        options = {"parts": sluice.DAEMONS, **options}
        return station(sections=sections, resolver=False, **options)

    return start


# --- starting and ending


def run_program(folder, name, *words, config=None):
    """One run to its end: (exit code, what it printed)."""
    config = config or sluice.Config(folder, {"store": '"memory:"'})
    daemon = sluice.Daemon(name, folder, config, [])
    daemon.command = lambda: [sluice.program(name), *words]
    code, printed = daemon.run()
    return code, printed


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_a_signal_at_the_very_end(quiet, folder, name):
    """A second SIGTERM does not turn a clean end into a killed daemon."""
    quiet(env=preload.environment(folder, "signal"), parts=[name])


LISTEN = {"sluice-policyd": "policy-listen", "sluice-milter": "milter-listen"}
GOOD = ["-c", "{conf}"]
COMMANDS = {
    "good": (GOOD + ["-t"], 0, "the configuration is good"),
    "override": (GOOD + ["-t", "-o", "mode=enforce"], 0, "the configuration is good"),
    "override-of-a-limit": (GOOD + ["-t", "-o", "limit.daily.max=5"], 0, "is good"),
    "version": (["-V"], 0, "0."),
    "help": (["--help"], 0, "SIGHUP"),
    "unknown-option": (["-x"], 64, "--help"),
    "an-argument": (GOOD + ["start"], 64, '"start"'),
    "no-such-user-to-test": (GOOD + ["-t", "-o", "user=no-such-user"], 78, "user = no-such-user: there is no such user"),
    "option-without-value": (["-c"], 64, "--help"),
    "no-such-file": (["-c", "{conf}.missing"], 78, "{conf}.missing"),
    "bad-override": (GOOD + ["-t", "-o", "mode=enfroce"], 78, "enforce"),
    "unknown-override": (GOOD + ["-t", "-o", "moode=enforce"], 78, "mode"),
    "no-such-user": (GOOD + ["-o", "user=no-such-user", "-o", "log=stderr"], 78, "no-such-user"),
    "root": (GOOD + ["-o", "user=root", "-o", "log=stderr"], 78, "root"),
    "no-place-for-the-log": (GOOD + ["-o", "log=file:{folder}/file/log"], 69, "{folder}/file/log"),
    "no-place-for-the-socket": (
        GOOD + ["-o", "{listen}=unix:{folder}/file/x.sock", "-o", "log=stderr"],
        69,
        "{folder}/file/x.sock",
    ),
    "no-place-for-the-journal": (
        GOOD
        + ["-o", "state-directory={folder}/file", "-o", "store=unix:{folder}/redis"]
        + ["-o", "{listen}=unix:{folder}/x.sock", "-o", "log=stderr"],
        78,
        "{folder}/file/",
    ),
}


@pytest.mark.parametrize("name", sluice.DAEMONS)
@pytest.mark.parametrize("command", COMMANDS)
def test_command_line(folder, name, command):
    words, code, says = COMMANDS[command]
    sections = "limit daily { count = messages  max = 9  per = 1h }\n"
    config = sluice.Config(folder, {"store": '"memory:"'}, sections)
    (folder / "file").write_text("in the way of every path below it")
    names = {"conf": config.path, "listen": LISTEN[name], "folder": folder}
    words = [word.format(**names) for word in words]
    ended, printed = run_program(folder, name, *words, config=config)
    assert ended == code and says.format(**names) in printed, printed


def test_every_problem_is_named_with_file_and_line(folder):
    (folder / "more.conf").write_text("\nmax-message-sice = 5M\n")
    config = sluice.Config(folder, {"mode": "enfroce"}, f'include "{folder}/more.conf"\n')
    for name in sluice.DAEMONS:
        code, printed = run_program(folder, name, "-t", "-c", str(config.path), config=config)
        assert code == 78
        assert f"{config.path}:1: " in printed and f"{folder}/more.conf:2: " in printed
        assert "max-message-size" in printed and "enforce" in printed


def test_every_program_reads_tables(folder):
    (folder / "senders").write_text("# a comment\nalice@example.com alice,\n  bob\n")
    config = sluice.Config(folder, {"store": '"memory:"', "sender-login": f'"texthash:{folder}/senders"'})
    for name in (*sluice.DAEMONS, "sluice-feedback"):
        code, printed = run_program(folder, name, "-t", "-c", str(config.path), config=config)
        assert code == 0 and "the configuration is good" in printed, (name, code, printed)
    assert "is good" in sluice.Ctl(config).run("config").stdout


def test_included_files_count(quiet, folder):
    (folder / "limits.conf").write_text(LIMIT.replace("100000", "3"))
    place = quiet(sections=f'{counting.NO_DNS}include "{folder}/limits.conf"\n')
    with connect(place, "sluice-policyd") as one:
        assert [each.accepted for each in one.messages(4)] == [True] * 3 + [False]
    over = place.policyd.log.wait(cause="limit.messages")
    assert f"{folder}/limits.conf:1" in over["hint"]
    # A reload reads the included file again.
    (folder / "limits.conf").write_text(LIMIT.replace("100000", "5"))
    place.policyd.reload()
    place.policyd.log.wait(event="reloaded")
    with connect(place, "sluice-policyd", "R") as one:
        assert [each.accepted for each in one.messages(3)] == [True] * 2 + [False]


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_a_second_one_does_not_start(quiet, folder, name):
    place = quiet(parts=[name])
    path = socket_of(place, name)
    second = sluice.Daemon(name, folder / "second", place.config, [])
    code, printed = second.run()
    assert code == 69 and str(path) in printed, printed
    with connect(place, name) as one:
        assert one.message().accepted
    # Nor by another socket: they would write one journal.
    overrides = {LISTEN[name]: f"unix:{folder}/other.sock"}
    second = sluice.Daemon(name, folder / "third", place.config, [], overrides=overrides)
    code, printed = second.run()
    assert code == 78 and "in use by another process" in printed, printed
    with connect(place, name) as one:
        assert one.message(queue_id="still").accepted


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_a_stale_socket_is_taken_over(quiet, name):
    place = quiet(parts=[name])
    daemon, path = daemon_of(place, name), socket_of(place, name)
    daemon.kill()
    assert path.is_socket()
    daemon.start()
    with connect(place, name) as one:
        assert one.message().accepted
    daemon.stop()
    assert not path.exists()


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_systemd_is_told(quiet, run, folder, name):
    told = run(systemd.Notifications(folder / "notify"))
    place = quiet(parts=[name], env={**told.environment, "WATCHDOG_USEC": "200000"})
    daemon = daemon_of(place, name)
    told.wait("READY=1", "WATCHDOG=1", "WATCHDOG=1")
    daemon.reload()
    told.wait("READY=1", "RELOADING=1", "READY=1", "WATCHDOG=1")
    place.config.options["mode"] = "enfroce"
    daemon.reload()
    told.wait("READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1")
    place.config.options["mode"] = "enforce"
    daemon.stop()
    told.wait("READY=1", "STOPPING=1")
    reloading = next(each for each in told.states if each[0] == "RELOADING=1")
    assert reloading[1].startswith("MONOTONIC_USEC=")


# --- few rights


def status_of(pid, field):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{field}:"))


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_root_is_given_up(quiet, folder, name):
    """And the socket, the journal, the key and the log stay of use."""
    nobody = pwd.getpwnam("nobody")
    options = {"user": "nobody", "state-directory": f'"{folder}/journal"'}
    place = quiet(parts=[name], options=options, durable=True)
    daemon = daemon_of(place, name)
    assert status_of(daemon.pid, "Uid") == [str(nobody.pw_uid)] * 4
    assert status_of(daemon.pid, "Gid") == [str(nobody.pw_gid)] * 4
    assert status_of(daemon.pid, "CapEff") == ["0" * 16]
    with connect(place, name) as one:
        place.redis.kill()
        assert one.message().accepted
        daemon.kill()
    # Bound anew by root, in the place of the old one; the journal has the message.
    daemon.start()
    place.redis.start()
    wait.poll(lambda: counting.used(place)["daily"] == 1, what="the journal handed in")
    if name == "sluice-milter":
        line = daemon.log.wait(event="message")
        assert line["dkim"] == f"signed:{site_module.SELECTOR}/{site_module.DOMAIN}"
    # Root alone may open the log's file: it stays open.
    place.config.options["mode"] = "observe"
    daemon.log.mark()
    daemon.reload()
    daemon.log.wait(event="reloaded")
    assert not daemon.log.events(event="reload-failed")
    daemon.stop()


def test_postfix_reaches_the_sockets_of_nobody(site, folder):
    options = {"user": "nobody", "state-directory": f'"{folder}/journal"'}
    place = site(options=options, sections=LIMIT)
    outcome = place.send("alice", ["bob@example.net"])
    assert outcome.accepted, outcome
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="message", queue_id=outcome.queue_id)
    for path in (place.policy_socket, place.milter_socket):
        assert path.stat().st_mode & 0o777 == 0o660 and path.group() == "postfix"


# --- reload


@pytest.fixture(scope="module")
def shared(module_site):
    return module_site(sections=LIMIT)


def wait_reloads(place, event, count):
    for daemon in (place.policyd, place.milter):
        wait.poll(
            lambda d=daemon: len(d.log.events(event=event)) >= count,
            what=f"{count} of {event}",
            on_timeout=daemon.describe,
        )


def test_reloads_while_mail_flows(shared):
    """Good ones and bad ones; no message is lost or refused, and none counted twice."""
    place = shared
    before = counting.used(place)["daily"]
    stopping, outcomes = threading.Event(), []

    def send(number):
        with place.client("alice") as client:
            for message in itertools.count():
                outcomes.append(client.send(SENDER, [RECIPIENT], subject=f"{number}-{message}"))
                if stopping.is_set():
                    return

    good = dict(place.config.options)
    for daemon in (place.policyd, place.milter):
        daemon.log.mark()
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(send, number) for number in range(4)]
        for number in range(1, 4):
            place.config.options = {**good, "store-timeout": f"{number}s", "contact": f'"{number}"'}
            place.policyd.reload()
            place.milter.reload()
            wait_reloads(place, "reloaded", number)
            place.config.options = {**good, "dns-timeot": "1s"}
            place.policyd.reload()
            place.milter.reload()
            wait_reloads(place, "reload-failed", number)
            seen = len(outcomes)
            wait.poll(lambda s=seen: len(outcomes) > s + 20, what="mail after the reloads")
        stopping.set()
        for job in jobs:
            job.result()
    place.config.options = good
    assert all(outcome.accepted for outcome in outcomes), outcomes
    for daemon in (place.policyd, place.milter):
        problems = [event["problem"] for event in daemon.log.events(event="reload-failed")]
        assert len(problems) == 3
        line = len(good) + 1
        assert all(f"{place.config.path}:{line}: " in each for each in problems), problems
        assert all("dns-timeout" in problem for problem in problems)
    wait.poll(
        lambda: counting.used(place)["daily"] - before == len(outcomes), what="all of it counted"
    )


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_the_store_changes_while_it_is_asked(quiet, name):
    """What is on its way to the old store comes to the new one; the daemon does not stand still."""
    place = quiet(parts=[name], options={"store-timeout": "1s"})
    daemon = daemon_of(place, name)
    makers = [lambda n=n: connect(place, name, f"{n}.") for n in range(4)]
    with Load(makers) as load:
        for number in range(5):
            seen = len(load.answers)
            wait.poll(lambda s=seen: len(load.answers) > s + 20, what="messages")
            place.config.options["store-timeout"] = f"{1001 + number}ms"
            daemon.reload()
            wait.poll(
                lambda n=number: len(daemon.log.events(event="reloaded")) == n + 1, what="reloaded"
            )
    assert load.accepted == len(load.answers)
    wait.poll(lambda: counting.used(place)["daily"] == load.accepted, what="all of it counted")
    assert daemon.processes()[0].output.read_text()[:200] == ""


@pytest.mark.parametrize("name", sluice.DAEMONS)
def test_a_reload_changes_the_rights_of_the_socket(quiet, name):
    place = quiet(parts=[name])
    daemon, path, which = daemon_of(place, name), socket_of(place, name), name.partition("-")[2].rstrip("d")
    groups = grp.getgrall()[-2:]
    for mode, group in ((0o620, groups[0]), (0o620, groups[1]), (0o640, groups[1])):
        place.config.options[f"{which}-socket-mode"] = f"0{mode:o}"
        place.config.options[f"{which}-socket-group"] = f'"{group.gr_name}"'
        daemon.reload()
        wanted = (mode, group.gr_gid)
        wait.poll(lambda: (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == wanted, 20,
                  "the socket's new rights")
    with connect(place, name) as one:
        assert one.message().accepted
    assert not daemon.log.events(event="restart-needed") and not daemon.log.events(event="listen-failed")


WHOLE = {
    "log": ({"log": '"file:{folder}/file/log"'}, "/file/log"),
    "journal": ({"state-directory": '"{folder}/file"'}, "/file/"),
}


@pytest.mark.parametrize("name", sluice.DAEMONS)
@pytest.mark.parametrize("what", WHOLE)
def test_a_reload_works_whole_or_not_at_all(quiet, name, what):
    options, problem = WHOLE[what]
    place = quiet(parts=[name], options={"log": '"stderr"'})
    (place.folder / "file").write_text("in the way of every path below it")
    options = {key: value.format(folder=place.folder) for key, value in options.items()}
    daemon = daemon_of(place, name)
    good = {**place.config.options, "log": f'"file:{daemon.log.path}"'}
    # Without the override of the log.
    daemon.command = lambda: [sluice.program(name), "-c", place.config.path]
    place.config.options = good
    daemon.restart()
    daemon.log.wait(event="started")
    store = place.folder / "other.sock"
    bad = {**good, **options, "store": f'"unix:{store}"', "max-message-size": "1"}
    place.config.options = bad
    daemon.reload()
    failed = daemon.log.wait(event="reload-failed")
    assert problem in failed["problem"]
    assert not daemon.log.events(event="reloaded")
    with connect(place, name) as one:
        assert one.message(size=1000).accepted
    assert not daemon.log.events(cause="self.store-down")
    # What was wrong is mended: everything else that was new is in force now.
    place.config.options = {**bad, **{key: good[key] for key in options}}
    daemon.log.mark()
    daemon.reload()
    daemon.log.wait(event="reloaded")
    assert str(store) in daemon.log.wait(cause="self.store-down")["problem"]
    with connect(place, name, "B") as one:
        assert "[content.size]" in one.message(size=1000).words


# --- the end


def test_what_is_in_hand_is_finished(site):
    """Both are asked to stop in the middle of a message: it is neither lost nor counted twice."""
    place = site(sections=LIMIT)
    data = smtp.message(SENDER, [RECIPIENT], subject="in hand")
    with place.client("alice") as client:
        assert client.command("MAIL", f"FROM:<{SENDER}>").ok
        assert client.command("RCPT", f"TO:<{RECIPIENT}>").ok
        assert client.command("DATA").code == 354
        processes = [place.policyd.processes()[0], place.milter.processes()[0]]
        processes[1].signal(signal.SIGTERM)
        wait.poll(lambda: not place.milter_socket.exists(), what="no new connections")
        reply = client.finish_data(data)
        assert reply.ok, reply
    processes[0].signal(signal.SIGTERM)
    assert [each.wait_exit() for each in processes] == [0, 0]
    place.sink.wait_subject("in hand")
    assert counting.used(place)["daily"] == 1
    place.policyd.start()
    place.milter.start()
    assert place.send("alice", ["bob@example.net"]).accepted


def test_a_drain_has_an_end(quiet):
    """A message that is never finished is waited for no longer than drain-timeout."""
    place = quiet(options={"drain-timeout": "300ms"})
    with milter.Client(place.milter_socket) as mta, policy.Client(place.policy_socket) as client:
        mta.connect()
        mta.mail(SENDER, login=SENDER)
        assert mta.rcpt(RECIPIENT, "NEVER").passes
        mta.data("NEVER")
        client.send(policy.request()[:-20])
        for daemon in (place.policyd, place.milter):
            process = daemon.processes()[0]
            process.signal(signal.SIGTERM)
            assert process.wait_exit() == 0
            assert daemon.log.wait(event="stopped")
