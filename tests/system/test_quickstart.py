# SPDX-License-Identifier: BSD-2-Clause
"""contrib/quickstart after its build: what a newcomer sees, and that nothing is left behind."""

import json
import os
import shutil
import signal
import subprocess

import pytest

from support import process, sluice, wait

PROGRAM = sluice.TOP / "contrib" / "demo" / "quickstart.py"
STATE = "running.json"


@pytest.fixture
def quickstart(folder):
    """Run it with these options; a site that it keeps is stopped after the test."""
    place = folder / "quickstart"
    environment = {**os.environ, "SLUICE_BUILD": str(sluice.build_folder())}

    def start(*options):
        return subprocess.Popen(
            ["/usr/bin/python3", str(PROGRAM), *options, str(place)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )

    yield place, start
    if (place / STATE).exists():
        start("--stop").communicate(timeout=300)


def finish(job):
    output, _ = job.communicate(timeout=300)
    return job.returncode, output


def processes_below(place):
    """The processes whose command line names the folder."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                command = file.read().decode(errors="replace")
        except OSError:
            continue
        if f"{place}/" in command:
            found.append(command)
    return found


def test_shows_the_four_messages_and_stops(quickstart):
    place, start = quickstart
    code, output = finish(start())
    assert code == 0, output
    for text in (
        "verdict=accept dkim=signed:s1/example.test",
        "verifies against the zone",
        "cause=account.sender-mismatch severity=error action=reject",
        "cause=dns.recipient-domain severity=error action=reject",
        "cause=limit.messages severity=warn action=defer",
        "sluicectl limits user:alice@example.test",
        "Everything is stopped again",
    ):
        assert text in output, output
    assert processes_below(place) == []
    assert not (place / STATE).exists()


def test_keeps_its_servers_until_it_is_told(quickstart):
    place, start = quickstart
    code, output = finish(start("--keep"))
    assert code == 0, output
    running = json.loads((place / STATE).read_text())
    assert len(running) == 6
    assert all(process.start_time(one["pid"]) == one["started"] for one in running)
    code, output = finish(start())
    assert (code, "An earlier run is still up" in output) == (1, True), output
    code, output = finish(start("--stop"))
    assert code == 0 and output.count("stopped") == 6, output
    wait.poll(lambda: not processes_below(place), what="the servers gone")


def interrupt(place, job, moment, number):
    """Its exit code and what it printed."""
    wait.poll(lambda: (place / moment).exists() or job.poll() is not None, what=moment)
    job.send_signal(number)
    return finish(job)


@pytest.mark.parametrize("options", [[], ["--keep"]], ids=["plain", "keep"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    "moment", ["sluice-milter/log", "sink/mail/00000001"], ids=["starting", "sending"]
)
def test_leaves_nothing_when_interrupted(quickstart, moment, number, options):
    place, start = quickstart
    code, output = interrupt(place, start(*options), moment, number)
    while code == 0:  # it was faster than we
        if "--keep" in options:
            finish(start("--stop"))
        shutil.rmtree(place)
        code, output = interrupt(place, start(*options), moment, number)
    assert code == 130, output
    left = lambda: "\n".join([output, *processes_below(place)])  # noqa: E731
    wait.poll(lambda: not processes_below(place), what="the servers gone", on_timeout=left)
    assert not (place / STATE).exists()
