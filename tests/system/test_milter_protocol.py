# SPDX-License-Identifier: BSD-2-Clause
"""sluice-milter against miltertest, which plays the MTA as the scripts in tests/milter say: what no
real MTA does on demand.
"""

import concurrent.futures
import os
import signal
import stat
import subprocess

import pytest

from support import ports, site as site_module, sluice

SCRIPTS = sluice.TOP / "tests" / "milter"


@pytest.fixture
def milter(run, folder, dkim_key):
    """Start a milter with what it needs and no MTA."""

    def start(**options):
        site = site_module.Site(folder, key=dkim_key, options=options)
        run(site.redis)
        run(site.dns)
        return run(site.milter)

    return start


def play(milter, script):
    """Run one script against the milter; what it finds wrong is the failure."""
    socket = milter.folder.parent / "milter.sock"
    definitions = {"folder": SCRIPTS, "socket": socket, "script": script}
    words = [word for name, value in definitions.items() for word in ("-D", f"{name}={value}")]
    done = subprocess.run(
        ["miltertest", *words, "-s", str(SCRIPTS / "run.lua")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"{script}: {done.stdout}{done.stderr}"


def test_several_messages(milter):
    server = milter()
    play(server, "several.lua")
    lines = server.log.events(event="message")
    assert [line["queue_id"] for line in lines] == [f"SEVERAL{n}" for n in range(1, 6)]
    assert [line.get("user", "") for line in lines] == ["alice@example.test"] * 3 + ["", ""]
    assert [line["dir"] for line in lines] == ["out"] * 4 + ["in"]
    assert lines[4]["dkim"] == "none"


def test_aborts(milter):
    server = milter()
    play(server, "abort.lua")
    lines = server.log.events(event="message")
    assert [line["queue_id"] for line in lines] == [f"WHOLE{n}" for n in range(1, 6)]
    assert {line["nrcpt"] for line in lines} == {"1"}
    assert len({line["size"] for line in lines}) == 1


def test_macros(milter):
    server = milter()
    play(server, "macros.lua")
    lines = server.log.events(event="message")
    queue_ids = [line["queue_id"] for line in lines]
    assert queue_ids == ["ATMAIL", "ATRCPT", "ATDATA", "ATEOM", "NOQUEUE"]
    users = [line.get("user", "") for line in lines]
    assert users == ["alice@example.test", "", "alice@example.test", "", ""]


def test_refusals(milter):
    server = milter(**{"max-message-size": "20000"})
    play(server, "refuse.lua")
    line = server.log.wait(event="message", queue_id="REFUSED1")
    assert (line["verdict"], line["nrcpt"]) == ("accept", "2")
    line = server.log.wait(event="message", queue_id="REFUSED2")
    assert (line["verdict"], line["causes"]) == ("reject", "content.size")
    assert int(line["size"]) > 30000
    cause = server.log.wait(event="cause", cause="content.size", queue_id="REFUSED2")
    assert cause["reply"] == "552 5.3.4"


def test_observe_mode(milter):
    server = milter(mode="observe")
    play(server, "observe.lua")
    line = server.log.wait(event="message", queue_id="OBSERVED")
    assert (line["verdict"], line["would"]) == ("accept", "reject")


def test_many_connections_at_once_with_reloads(milter):
    server = milter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(play, server, script)
            for _ in range(6)
            for script in ("several.lua", "abort.lua", "macros.lua")
        ]
        while not all(job.done() for job in jobs):
            server.signal(signal.SIGHUP)
            concurrent.futures.wait(jobs, timeout=0.1)
        for job in jobs:
            job.result()
    assert len(server.log.events(event="message")) == 6 * 15


def test_the_sockets_mode(milter):
    server = milter(**{"milter-socket-mode": "0660"})
    mode = os.stat(server.folder.parent / "milter.sock").st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660


def test_inet(run, folder, dkim_key):
    port = ports.free_port()
    site = site_module.Site(
        folder, key=dkim_key, options={"milter-listen": f'{{"inet:127.0.0.1:{port}"}}'}
    )
    run(site.redis)
    run(site.dns)
    milter = run(sluice.Daemon("sluice-milter", folder, site.config, [port]))
    second = sluice.Daemon("sluice-milter", folder / "second", site.config, [])
    code, printed = second.run()
    assert code == os.EX_UNAVAILABLE and "Address already in use" in printed
    assert milter.is_alive()


@pytest.mark.parametrize(
    "options, code, words",
    [
        ({"milter-listen": '{"unix:/dev/null/sluice/m.sock"}'}, os.EX_UNAVAILABLE, "Not a directory"),
        ({"milter-lissen": "x"}, os.EX_CONFIG, "milter-listen"),
    ],
    ids=["cannot-bind", "bad-configuration"],
)
def test_exit_codes(folder, dkim_key, options, code, words):
    site = site_module.Site(folder, key=dkim_key, options=options)
    ended, printed = site.milter.run()
    assert ended == code and words in printed
