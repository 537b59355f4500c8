# SPDX-License-Identifier: BSD-2-Clause
"""In which class a login is: by the store, or by a table server that speaks Postfix' socketmap protocol."""

import itertools
import json
import subprocess
import time

import pytest

from support import policy, socketmap, wait
from support.counting import NO_DNS

SECTIONS = f"""
limit daily {{ subject = user  count = messages  max = 1  per = 24h  near = 0 }}
class big {{ limit daily {{ max = 2 }} }}
class huge {{ limit daily {{ max = 1000000 }} }}
class file {{ members = {{file@example.test}}  limit daily {{ max = 3 }} }}
{NO_DNS}
"""


CACHE_SEC = 0.1
numbers = itertools.count()  # of queue ids


@pytest.fixture(name="server", scope="module")
def fixture_server(tmp_path_factory):
    tables = {
        "classes": {
            "map@example.test": "big",
            "odd@example.test": "no-such-class",
            "temp@example.test": b"9:TEMP busy,",
            "bad@example.test": b"hello",
            "stale@example.test": "huge",
            "back@example.test": "big",
        }
    }
    path = tmp_path_factory.mktemp("m") / "map.sock"
    for folder in (path.parent, path.parent.parent):
        folder.chmod(0o755)
    with socketmap.SocketMap(path, tables) as server:
        yield server


@pytest.fixture(name="place", scope="module")
def fixture_place(module_site, server):
    options = {
        "class-lookup": f'{{"store", "socketmap:unix:{server.path}:classes"}}',
        "class-cache": f"{int(CACHE_SEC * 1000)}ms",
        "class-timeout": "2s",
    }
    return module_site(mta="none", options=options, sections=SECTIONS, resolver=False)


def accepted(place, user, attempts=4):
    """How many of so many messages are let through."""
    with policy.Client(place.policy_socket) as client:
        answers = [
            client.message(f"Q{next(numbers)}", sasl_username=user, sender=user)[-1]
            for _ in range(attempts)
        ]
    return answers.count("DUNNO")


def holds(place, user):
    """(class, maximum) of the limit that holds, as sluicectl explains it."""
    told = json.loads(place.ctl.run("limits", "--explain", "--json", user).stdout)
    rule = told["limits"][0]["rules"][0]
    return rule["class"], rule["max"]


def test_a_class_in_the_store(place):
    user = "store@example.test"
    assert accepted(place, user) == 1
    assert place.ctl.run("class", "set", user, "big").stdout == f"user:{user}: class big\n"
    assert holds(place, user) == ("big", "2")
    wait.poll(lambda: accepted(place, user, 1) == 1, what="the class is in force")
    assert accepted(place, user) == 0
    listed = json.loads(place.ctl.run("class", "--json", "list").stdout)["classes"]
    assert listed == {f"user:{user}": "big"}
    assert f"user:{user}" in place.ctl.run("class", "list").stdout
    assert place.ctl.run("class", "LIST").stdout == place.ctl.run("class", "list").stdout
    assert "class big" in place.ctl.run("limits", user).stdout
    place.ctl.run("class", "unset", user)
    assert holds(place, user) == (None, "1")
    assert place.ctl.run("class", "unset", user, check=False).returncode == 1
    assert "no class is set" in place.ctl.run("class", "list").stdout


def test_mail_of_the_past_has_the_classes_of_today(place, server, folder):
    """sluicectl replay asks the store and the table server; who is away is told of."""
    log, users = folder / "past.log", ("set@example.test", "map@example.test", "nobody@example.test")
    log.write_text("".join(
        f"2026-11-20T10:00:0{number}+00:00 mx sluice-milter[1]: {user[0]}{number}: event=message dir=out user={user} "
        f"from={user} nrcpt=1 size=9 client=192.0.2.1 verdict=accept trace={index}{number} stage=end-of-message\n"
        for number in range(3) for index, user in enumerate(users)))
    place.ctl.run("class", "set", users[0], "huge")

    def stopped(*options):
        told = subprocess.run([*place.ctl.words(*options), "replay", "--json", str(log)], capture_output=True,
                              text=True, check=True, timeout=60)
        return {row["subject"]: row["times"] for row in json.loads(told.stdout)["stops"]}, told.stderr

    assert stopped() == ({f"user:{users[1]}": 1, f"user:{users[2]}": 2}, "")
    away, said = stopped("-o", f"class-lookup=socketmap:unix:{folder}/none:classes")
    assert set(away.values()) == {2} and "event=class-lookup state=down" in said, said
    away, said = stopped("-o", f"store=unix:{folder}/none")
    assert away == {f"user:{users[0]}": 2, f"user:{users[1]}": 1, f"user:{users[2]}": 2}
    assert "who is in a class by sluicectl class is not known: " in said and "none" in said
    place.ctl.run("class", "unset", users[0])


def test_wrong_words(place):
    for words in (["set", "a@b.test"], ["list", "x"], [], ["get", "x"], ["set", "all", "big"]):
        assert place.ctl.run("class", *words, check=False).returncode == 64, words
    wrong = place.ctl.run("class", "set", "a@b.test", "bog", check=False)
    assert wrong.returncode == 64 and 'did you mean "big"?' in wrong.stderr


def test_a_class_from_a_table_server(place, server):
    # What Postfix itself finds in it.
    table = f"socketmap:unix:{server.path}:classes"
    asked = subprocess.run(
        ["postmap", "-q", "map@example.test", table], capture_output=True, text=True, check=False
    )
    assert asked.stdout.strip() == "big", asked.stderr
    assert accepted(place, "map@example.test") == 2
    assert holds(place, "map@example.test") == ("big", "2")
    # The store goes before it, and the file's own members come after it.
    place.ctl.run("class", "set", "map@example.test", "huge")
    assert holds(place, "map@example.test") == ("huge", "1000000")
    assert accepted(place, "file@example.test") == 3
    assert accepted(place, "none@example.test") == 1
    assert accepted(place, "odd@example.test") == 1


def test_answers_are_kept(place, server):
    user = "kept@example.test"
    before = len(server.asked)
    accepted(place, user, 2)
    # Four stages within a tenth of a second; a busy machine may take longer.
    assert 1 <= len([each for each in server.asked[before:] if user in each]) <= 4


def test_a_table_server_in_trouble(place, server):
    log = place.policyd.log
    assert accepted(place, "stale@example.test", 2) == 2
    assert accepted(place, "temp@example.test") == 1
    down = log.wait(event="class-lookup", state="down")
    assert "TEMP busy" in down["problem"] and down["lookup"].endswith(":classes")
    log.mark()
    assert accepted(place, "other@example.test", 1) == 1
    log.wait(event="class-lookup", state="up")
    log.mark()
    accepted(place, "bad@example.test")
    assert "protocol" in log.wait(event="class-lookup", state="down")["problem"]


def test_a_table_server_that_is_away(place, server):
    log = place.policyd.log
    assert accepted(place, "stale@example.test", 2) == 2
    server.stop()
    log.mark()
    # What it said holds, also when it would be asked again; whom it said nothing of is in the
    # file's classes.
    assert accepted(place, "new@example.test", 3) == 1
    until = time.monotonic() + 3 * CACHE_SEC
    while time.monotonic() < until:
        assert accepted(place, "stale@example.test", 1) == 1
    server.start()
    assert accepted(place, "back@example.test", 1) == 1
    wait.poll(lambda: accepted(place, "back@example.test", 1) == 1, what="the server is found again")


def test_a_table_server_that_is_silent(place, server):
    server.silent = True
    try:
        assert accepted(place, "slow@example.test", 3) == 1
        assert accepted(place, "stale@example.test", 1) == 1
    finally:
        server.silent = False
