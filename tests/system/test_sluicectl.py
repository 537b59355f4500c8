# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl beside running daemons: what an operator asks, and what the answer is when something is
wrong.
"""

import json
import pathlib

import pytest

from support import counting, policy, ports, sluice
from support.counting import SENDER

CLIENT = "192.0.2.10"
SECTIONS = """
limit daily { subject = user  count = messages  max = 10  per = 24h  near = 0 }
limit rcpts { subject = user  count = recipients  max = 100  per = 1h  near = 0 }
limit fanout { count = recipients  max = 50  per = message }
limit senders { subject = sender  count = messages  max = 10  per = 1h  near = 0 }
limit domains { subject = sender-domain  count = recipients  max = 100  per = 1h  near = 0 }
limit clients { subject = client  count = messages  max = 10  per = 1h  near = 0 }
limit networks { subject = client-network  count = messages  max = 10  per = 1h  near = 0 }
limit targets { subject = recipient-domain  count = recipients  max = 100  per = 1h  near = 0 }
limit hosts { subject = host  count = messages  max = 1000  per = 1h  near = 0 }
limit total { subject = all  count = messages  max = 1000  per = 1h  near = 0 }
class staff { members = {"bob@example.test"}  limit daily { max = 20 } }
cause dns.spf-fail { action = reject }
"""


@pytest.fixture(scope="module")
def shared(module_site):
    """Everything up, and one message of alice's to three recipients counted."""
    place = module_site(mta="none", sections=SECTIONS)
    with policy.Client(place.policy_socket) as client:
        answers = client.message("Q1", [f"r{number}@example.net" for number in range(3)])
    assert answers == ["DUNNO"] * 4
    return place


def ask_json(place, *words):
    return json.loads(place.ctl.run(*words).stdout)


# --- limits and reset

SUBJECTS = {
    SENDER: {"daily": 1, "rcpts": 3},
    f"user:{SENDER}": {"daily": 1, "rcpts": 3},
    "Alice+News@Example.Test": {"daily": 1, "rcpts": 3},
    f"sender:{SENDER}": {"senders": 1},
    "sender-domain:example.test": {"domains": 3},
    "sender-domain:EXAMPLE.test": {"domains": 3},
    f"client:{CLIENT}": {"clients": 1},
    CLIENT: {"clients": 1},
    "client-network:192.0.2.0/24": {"networks": 1},
    "192.0.2.0/24": {"networks": 1},
    "2001:db8::/64": {"networks": 0},
    "recipient-domain:example.net": {"targets": 3},
    "host:mx2.example.test": {"hosts": 0},
    "nobody@example.test": {"daily": 0, "rcpts": 0},
    "client:2001:db8::1": {"clients": 0},
}


@pytest.mark.parametrize("subject", SUBJECTS)
def test_limits_of_every_kind(shared, subject):
    table = ask_json(shared, "limits", "--json", subject)
    used = {row["limit"]: row["used"] for row in table["limits"] if "used" in row}
    assert used == SUBJECTS[subject]
    text = shared.ctl.run("limits", subject).stdout.splitlines()
    assert text[0] == table["subject"] and text[1].split()[0] == "LIMIT"
    assert len(text) == 2 + len(table["limits"])


def test_what_all_share(station):
    place = station(sections=SECTIONS, resolver=False, options={"dns-timeout": "100ms"})
    with policy.Client(place.policy_socket) as client:
        for number in range(2):
            client.message(f"Q{number}", sasl_username=f"u{number}@example.test", sender="")
    for subject, name in (("host", "hosts"), ("host:mx.example.test", "hosts"), ("all", "total")):
        assert counting.used(place, subject) == {name: 2}


def test_limits_as_a_table(shared):
    lines = shared.ctl.run("limits", SENDER).stdout.splitlines()
    rows = {line.split()[0]: line for line in lines[2:]}
    assert rows["daily"].split()[:7] == ["daily", "1", "10", "10%", "messages", "24h", "now"]
    assert rows["fanout"].split()[:5] == ["fanout", "-", "50", "recipients", "message"]
    written = pathlib.Path(shared.config.path).read_text().splitlines()
    where = next(n for n, line in enumerate(written, 1) if line.startswith("limit daily"))
    assert rows["daily"].endswith(f"{shared.config.path}:{where}")
    assert "class staff" in shared.ctl.run("limits", "bob@example.test").stdout


def test_limits_explained(shared):
    told = ask_json(shared, "limits", "--explain", "--json", "bob@example.test")["limits"]
    daily = next(limit["rules"] for limit in told if limit["limit"] == "daily")
    assert [(rule["class"], rule["max"], rule["holds"]) for rule in daily] == [
        ("staff", "20", True),
        (None, "10", False),
    ]
    text = shared.ctl.run("limits", "--explain", "bob@example.test").stdout
    assert f'holds  max 20 at {daily[0]["set-at"]}: class staff, member bob@example.test' in text
    assert f'max 10 at {daily[1]["set-at"]}: limit daily itself' in text
    # The lines are those of the file.
    name, _, number = daily[0]["set-at"].rpartition(":")
    assert pathlib.Path(name).read_text().splitlines()[int(number) - 1].startswith("class staff")


def test_limits_that_are_used_up_and_reset(shared):
    carol = "carol@example.test"
    with policy.Client(shared.policy_socket) as client:
        answers = [
            client.message(f"C{n}", sasl_username=carol, sender=carol, client_address="203.0.113.9")
            for n in range(11)
        ]
        assert [answer[-1] == "DUNNO" for answer in answers] == [True] * 10 + [False]
        table = ask_json(shared, "limits", "--json", carol)
        daily = next(row for row in table["limits"] if row["limit"] == "daily")
        assert (daily["used"], daily["percent"], daily["over"]) == (10, 100, True)
        assert 86000 < daily["retry-after"] <= 86400 * 61 / 60 + 1
        assert "in 2" in shared.ctl.run("limits", carol).stdout  # in 24 or 25 hours
        said = shared.ctl.run("reset", carol).stdout
        assert said.startswith(f"user:{carol}: forgot daily 10 messages, rcpts 10 recipients")
        assert "nothing to forget" in shared.ctl.run("reset", carol).stdout
        shared.ctl.run("reset", f"sender:{carol}")
        again = client.message("C11", sasl_username=carol, sender=carol)
    assert again[-1] == "DUNNO"
    used = counting.used(shared, carol)
    assert used == {"daily": 1, "rcpts": 1}
    assert counting.used(shared)["daily"] == 1, "and nobody else's"


def test_a_subject_that_nothing_counts(shared):
    subject = "client-network:10.0.0.0/24"
    override = ["-o", "limit.networks.subject=client"]
    done = shared.ctl.run(*override, "limits", subject, check=False)
    assert done.returncode == 1 and f"no limit counts {subject}" in done.stderr


# --- status


def parts(done):
    table = json.loads(done.stdout)
    return table["ok"], {part["part"]: part for part in table["parts"]}


def test_everything_is_up(shared):
    done = shared.ctl.run("status", "--json")
    good, found = parts(done)
    assert good and list(found) == ["store", "resolver", "policyd", "milter"]
    assert all(part["ok"] and part["ms"] < 20000 for part in found.values())
    assert found["store"]["detail"].startswith("redis ")
    assert found["resolver"]["detail"].startswith("example.test: ")
    assert found["policyd"]["address"] == f"unix:{shared.policy_socket}"
    text = shared.ctl.run("status").stdout
    assert [line.split()[:2] for line in text.splitlines()] == [[name, "ok"] for name in found]
    # A question that changes nothing, and nothing that the daemons complain about.
    for daemon in (shared.policyd, shared.milter):
        assert not daemon.log.events(event="policy-error")


def test_parts_by_name(shared):
    _, found = parts(shared.ctl.run("status", "--json", "milter", "store"))
    assert list(found) == ["milter", "store"]


@pytest.mark.parametrize("broken", ["store", "resolver", "policyd", "milter"])
def test_one_part_is_down(shared, folder, broken):
    address = {
        "store": ["-o", f"store=unix:{folder}/redis.sock"],
        "resolver": ["-o", f"resolver=127.0.0.1@{ports.free_port()}", "-o", "dns-timeout=200ms"],
        "policyd": ["-o", f"policy-listen=unix:{folder}/policy.sock"],
        "milter": ["-o", f"milter-listen=unix:{folder}/milter.sock"],
    }
    done = shared.ctl.run(*address[broken], "status", "--json", check=False)
    good, found = parts(done)
    assert done.returncode == 1 and not good
    assert [name for name, part in found.items() if not part["ok"]] == [broken]
    assert "ms" not in found[broken] and found[broken]["detail"]
    done = shared.ctl.run(*address[broken], "status", broken, check=False)
    assert done.returncode == 1 and "FAILED" in done.stdout


def test_daemons_that_end_and_hang(station):
    options = {"store-timeout": "1s"}
    place = station(sections=counting.NO_DNS, options=options, parts=sluice.DAEMONS)
    assert parts(place.ctl.run("status", "--json"))[0]
    place.milter.stop()
    done = place.ctl.run("status", check=False)
    assert done.returncode == 1 and "start sluice-milter" in done.stdout
    place.redis.kill()
    done = place.ctl.run("status", "store", check=False)
    assert done.returncode == 1 and str(place.redis.socket) in done.stdout
    for words in (("limits", SENDER), ("reset", SENDER)):
        done = place.ctl.run(*words, check=False)
        assert done.returncode == 69 and "does not answer" in done.stderr
        assert not done.stdout
    place.redis.start()
    place.redis.freeze()
    done = place.ctl.run("limits", SENDER, check=False)
    assert done.returncode == 69 and "does not answer" in done.stderr
    place.redis.thaw()
    place.ctl.run("limits", SENDER)


def test_counters_in_memory_are_nobody_elses(shared):
    for words in (("limits", SENDER), ("reset", SENDER)):
        done = shared.ctl.run("-o", "store=memory:", *words, check=False)
        assert done.returncode == 69 and "own memory" in done.stderr
    assert "own memory" in shared.ctl.run("-o", "store=memory:", "status", "store").stdout


# --- config


def test_config_check(shared, folder):
    said = shared.ctl.run("config").stdout
    assert said == shared.ctl.run("config", "check").stdout
    assert "is good: mode enforce, 10 limits, 1 class, 1 domain signed" in said
    config = sluice.Config(folder, {"mode": "enfroce", "max-message-sice": "5M"}, "limit x { }\n")
    done = sluice.Ctl(config).run("config", check=False)
    lines = done.stderr.splitlines()
    assert done.returncode == 78 and not done.stdout
    assert any(line.startswith(f"{config.path}:1: ") and "enforce" in line for line in lines)
    assert any(line.startswith(f"{config.path}:2: ") and "message-size" in line for line in lines)
    for verb in ("status", "causes", "limits x", "reset x"):
        assert sluice.Ctl(config).run(*verb.split(), check=False).returncode == 78, verb


def test_effective_is_a_configuration_of_the_same_meaning(shared, folder):
    text = shared.ctl.run("-o", "contact=me", "config", "--effective").stdout
    assert text == shared.ctl.run("config", "-o", "contact=me", "--effective").stdout
    assert text == shared.ctl.run("config", "--effective", "-c", shared.config.path, "-o", "contact=me").stdout
    assert shared.ctl.run("limits", "--", "-o", "contact=me", check=False).returncode == 64
    assert 'contact = "me"' in text or "contact = me" in text
    assert "limit daily" in text and "class staff" in text
    config = sluice.Config(folder, {}, text)
    again = sluice.Ctl(config).run("config", "--effective").stdout

    def bare(effective):
        lines = [line.partition(" # ")[0].rstrip() for line in effective.splitlines()]
        return [line for line in lines if line and not line.startswith("#")]

    assert bare(again) == bare(text)


def test_defaults_are_the_file_that_is_shipped(shared, folder):
    text = shared.ctl.run("config", "--defaults").stdout
    (folder / "sluice.conf").write_text(text)
    config = sluice.Config(folder, {}, text)
    assert "is good: mode observe" in sluice.Ctl(config).run("config").stdout
    shared.ctl.run("config", "--manual")


# --- causes and usage


def test_causes(shared):
    lines = shared.ctl.run("causes").stdout.splitlines()
    rows = {line.split()[0]: line.split()[1:3] for line in lines}
    assert rows["dns.spf-fail"] == ["warn", "reject"]
    assert rows["limit.messages"] == ["defer", "-"]
    catalogue = ask_json(shared, "causes", "--json")
    assert len(catalogue) == len([name for name in rows if "." in name])
    group = ask_json(shared, "causes", "--json", "dns")
    assert {each["id"].split(".")[0] for each in group} == {"dns"}
    one = ask_json(shared, "causes", "--json", "dns.spf-fail")[0]
    assert (one["default"], one["action"]) == ("warn", "reject") and one["explanation"]


COLUMNS = {
    "550 5.1.1 No such user": ["recipient.unknown", "error", "hard"],
    "Oct  1 10:00:00 mx postfix/smtp[7]: 4XkP2q1ZzzzB: to=<a@b.example>, relay=none, delay=1, "
    "dsn=4.4.1, status=deferred (connect to b.example[192.0.2.1]:25: Connection refused)": [
        "destination.unreachable",
        "warn",
        "transport",
    ],
    "550 5.7.1 Too much of it [limit.messages]": ["limit.messages", "warn", "hard"],
    "550 Ymmv": ["destination.other", "warn", "hard"],
    "250 2.0.0 Ok": ["delivered", "-", "-"],
    "Oct  1 10:00:00 mx sendmail[7]: x91A00Fe000123: to=<a@b.example>, dsn=2.0.0, stat=Sent": [
        "delivered",
        "-",
        "-",
    ],
    "354 Go on": ["-", "-", "-"],
    "Oct  1 10:00:00 mx postfix/qmgr[7]: 4XkP2q1ZzzzB: removed": ["-", "-", "-"],
    "Oct  1 10:00:00 mx sshd[7]: Accepted publickey": ["-", "-", "-"],
    "no line\tof anything": ["-", "-", "-"],
    "": ["-", "-", "-"],
}


def test_classify_prints_four_columns(shared):
    """One line for each that is read, also for the last one that has no end."""
    done = shared.ctl.run("classify", text="\n".join([*COLUMNS, "450 4.2.1 Greylisted"]))
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[:3] for row in rows[:-1]] == list(COLUMNS.values())
    assert rows[-1][0] == "destination.greylisting"
    assert all(len(row) == 4 and all(row) for row in rows)
    assert [row[3] for row in rows if row[2] == "-"] == ["-"] * 7


USAGE = {
    "nothing": ([], "expected a verb"),
    "verb": (["limts"], 'did you mean "limits"'),
    "option": (["-x", "status"], "--help"),
    "verb-option": (["status", "--jason"], "--help"),
    "part": (["status", "milder"], 'did you mean "milter"'),
    "no-subject": (["limits"], "expected a subject"),
    "two-subjects": (["limits", "a@b.test", "c@d.test"], "c@d.test"),
    "kind": (["limits", "usr:alice"], 'did you mean "user"'),
    "network": (["limits", "client-network:300.1.2.3"], "client-network"),
    "no-reset": (["reset"], "expected one subject"),
    "reset-option": (["reset", "--all"], "expected one subject"),
    "config": (["config", "chek"], "chek"),
    "config-two": (["config", "--effective", "--defaults"], "expected one of"),
    "cause": (["causes", "dns.spf-fial"], 'did you mean "dns.spf-fail"'),
}


@pytest.mark.parametrize("name", USAGE)
def test_wrong_usage(shared, name):
    words, says = USAGE[name]
    done = shared.ctl.run(*words, check=False)
    assert done.returncode == 64 and says in done.stderr and not done.stdout, done


@pytest.mark.parametrize("words", ["--help", "--version", "limits --help", "status -h", "reset -h"])
def test_help(shared, words):
    done = shared.ctl.run(*words.split())
    assert done.stdout and not done.stderr
