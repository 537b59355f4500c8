# SPDX-License-Identifier: BSD-2-Clause
"""What an account usually does is learned, and what it does not usually do is said: account.*"""

import itertools
import json
import time

import pytest

from support import credentials, mmdb, proof, site as site_module, smtp, wait, workdir
from support.outage import wait_states

pytestmark = pytest.mark.xdist_group("test_habits")
DOMAIN = site_module.DOMAIN
DAY = 86400
HISTORY_DAYS = 30
_names = itertools.count(1)

COUNTRIES = {"192.0.2.0/24": "NL", "198.51.100.0/24": "DE", "198.18.0.0/24": "BE"}
SYSTEMS = {
    "192.0.2.0/25": (64500, "Example Net"),
    "192.0.2.128/25": (64500, "Example Net"),
    "198.18.0.0/24": (64500, "Example Net"),
}


@pytest.fixture(scope="module")
def place():
    folder = workdir.create("habits")
    options = {
        "geoip-country": f'"{mmdb.countries(folder / "country.mmdb", COUNTRIES)}"',
        "geoip-asn": f'"{mmdb.systems(folder / "asn.mmdb", SYSTEMS)}"',
        "compromise-suspend": "0",
        "store-timeout": "2s",
    }
    authority = credentials.Authority(folder)
    settings = {"smtpd_tls_ask_ccert": "yes", "smtpd_tls_CAfile": str(authority.cert)}
    place = site_module.Site(folder, options=options, settings=settings)
    place.authority = authority
    try:
        yield place.start()
    finally:
        place.stop()
        place.remove()


@pytest.fixture
def login():
    """An account that nothing is known of."""
    return f"user{next(_names)}@{DOMAIN}"


def send(place, login, client="203.0.113.7", recipients=1, name="r", context=None, **headers):
    """One message from that address; returns the queue id, once both daemons have logged it."""
    to = [f"{name}{n}@example.net" for n in range(recipients)]
    data = smtp.message(login, ["list@example.net"], **headers)
    pose = {"ADDR": client, "NAME": "[UNAVAILABLE]", "LOGIN": login}
    with smtp.Client(place.mta.submission_port, xclient=pose, context=context) as connection:
        outcome = connection.send(login, to, data)
    assert outcome.accepted, outcome.refusal
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="message", queue_id=outcome.queue_id)
    return outcome.queue_id


def found(place, queue_id, prefix="account."):
    """{cause: its line} of what both daemons found on the message."""
    lines = [
        line
        for daemon in (place.policyd, place.milter)
        for line in daemon.log.events(event="cause", queue_id=queue_id)
        if line["cause"].startswith(prefix)
    ]
    return {line["cause"]: line for line in lines}


def remember(place, login, kind, **fields):
    """Give the account a past: the store's own form of what was seen."""
    words = [word for pair in fields.items() for word in pair]
    with place.redis.client() as client:
        client.call("HSET", f"sluice:{{user:{login}}}:{kind}", *words)


def usually(place, login, an_hour, a_day):
    """Every hour of the week, for a month."""
    now = int(time.time())
    first, last = now - HISTORY_DAYS * DAY, now - 7 * DAY
    hours = {f"hour:{n:03}": f"{first} {last} {an_hour} {an_hour * 1000} 4 " for n in range(168)}
    days = {f"day:{n}": f"{first} {last} {a_day} {a_day * 1000} 4 " for n in range(7)}
    every = {"all": f"{first} {now - DAY} {a_day} {a_day * 1000} {HISTORY_DAYS} "}
    remember(place, login, "hours", **hours, **days, **every)


@proof.provokes("account.new-location")
@proof.near_miss("account.new-location")
def test_new_location(place, login):
    assert not found(place, send(place, login, "203.0.113.7")), "an account's first mail"
    assert not found(place, send(place, login, "203.0.113.99")), "the same network"
    line = found(place, send(place, login, "192.0.2.7"))["account.new-location"]
    assert (line["user"], line["client"]) == (login, "192.0.2.7")
    assert (line["network"], line["country"]) == ("AS64500", "NL")
    assert login in line["hint"]
    assert not found(place, send(place, login, "192.0.2.200")), "the same provider"
    line = found(place, send(place, login, "198.51.100.1"))["account.new-location"]
    assert (line["network"], line["country"]) == ("198.51.100.0/24", "DE")


@proof.provokes("account.new-client")
@proof.near_miss("account.new-client")
def test_new_client(place, login):
    assert not found(place, send(place, login, User_Agent="Mozilla Thunderbird 102.3 (X11)"))
    assert not found(place, send(place, login, User_Agent="Mozilla Thunderbird 115.0 (Windows)"))
    line = found(place, send(place, login, X_Mailer="PHPMailer 6.1"))["account.new-client"]
    assert line["program"] == "phpmailer"
    assert line["user"] == login and login in line["hint"]
    assert not found(place, send(place, login, X_Mailer="PHPMailer 6.1"))


def test_a_trial_knows_the_program(place, login, folder):
    """What sluicectl try takes for granted of TLS is what programs do."""
    mail = folder / "mail.eml"
    mail.write_bytes(smtp.message(login, ["r@example.net"], X_Mailer="PHPMailer 6.1"))
    send(place, login, X_Mailer="PHPMailer 6.1")
    words = ["try", "--user", login, "--from", login, "--rcpt", "r@example.net"]
    words += ["--client", "203.0.113.7", "--helo", "client.example.net", "--message", mail]
    assert "account.new-client" not in place.ctl.run(*words).stdout
    other = place.ctl.run(*words, "--tls", "TLSv1.2/AES256-SHA").stdout
    assert "account.new-client" in other and "TLSv1.2 AES256-SHA" in other


def test_a_new_country_within_a_provider(place, login):
    """A thief may well use the same provider's network, elsewhere."""
    old = f"{int(time.time()) - HISTORY_DAYS * DAY} {int(time.time()) - DAY} 9 0 0 "
    remember(place, login, "seen", **{"place:AS64500": old, "country:NL": old})
    assert not found(place, send(place, login, "192.0.2.7"))
    line = found(place, send(place, login, "198.18.0.9"))["account.new-location"]
    assert (line["network"], line["country"]) == ("AS64500", "BE")
    assert "account.new-location" not in found(place, send(place, login, "198.18.0.10"))


def test_new_certificate(place, login):
    """Each daemon takes what the MTA tells it of a client's certificate: both mean the same one."""

    def showing(name):
        context = smtp.trusting_context()
        context.load_cert_chain(*place.authority.issue(name))
        return context

    assert not found(place, send(place, login, context=showing("Alice's phone")))
    assert not found(place, send(place, login, context=showing("Alice's phone"))), "renewed"
    queue_id = send(place, login, context=showing("Somebody's laptop"))
    line = found(place, queue_id)["account.new-client"]
    assert line["certificate"] == "Somebody's laptop, issued by Test Authority"
    assert "whether the certificate Somebody's laptop" in line["hint"]
    lines = [d.log.events(event="cause", queue_id=queue_id) for d in place.daemons]
    assert sorted(map(len, lines)) == [0, 1], "said by one of the daemons"
    assert not found(place, send(place, login)), "none is no other one"

    words = ["--user", login, "--from", login, "--rcpt", "r0@example.net", "--client", "203.0.113.7"]
    tried = place.ctl.run("try", *words, "--certificate", "A tablet").stdout
    assert "account.new-client" in tried and 'certificate="A tablet"' in tried
    known = "Alice's phone, issued by Test Authority"
    assert "account.new-client" not in place.ctl.run("try", *words, "--certificate", known).stdout


@proof.provokes("account.many-locations")
@proof.near_miss("account.many-locations")
def test_many_locations(place, login):
    for n in range(5):
        assert "account.many-locations" not in found(place, send(place, login, f"10.{n}.0.1"))
    queue_id = send(place, login, "10.5.0.1")
    line = found(place, queue_id)["account.many-locations"]
    assert (line["action"], line["reply"]) == ("hold", "450 4.7.0")
    assert (line["networks"], line["window"]) == ("6", "3600")
    assert f"sluicectl suspend {login}" in line["hint"]
    assert any(m["queue_name"] == "hold" and m["queue_id"] == queue_id for m in place.mta.queued())


def test_many_countries(place, login):
    now = int(time.time())
    remember(place, login, "seen", **{"country:BR": f"{now} {now} 1 0 0 ", "country:VN": f"{now} {now} 1 0 0 "})
    line = found(place, send(place, login, "192.0.2.7"))["account.many-locations"]
    assert line["countries"] == "3"


@proof.provokes("account.anomaly")
@proof.near_miss("account.anomaly")
def test_anomaly(place, login):
    usually(place, login, an_hour=2, a_day=8)
    assert "account.anomaly" not in found(place, send(place, login, recipients=19))
    line = found(place, send(place, login, recipients=41))["account.anomaly"]
    assert (line["used"], line["usual"], line["action"]) == ("60", "2", "warn")
    assert "30x usual (60 recipients this hour, usually 2)" in line["evidence"]
    assert f"sluicectl release {login}" in line["hint"]


def test_a_first_week_is_not_unusual(place, login):
    assert not found(place, send(place, login, recipients=100))


def test_all_together_is_held(place, login):
    """Much mail, to people never written to, from a new country with a new program."""
    usually(place, login, an_hour=1, a_day=8)
    old = f"{int(time.time()) - HISTORY_DAYS * DAY} {int(time.time()) - DAY} 9 0 0 "
    home = {"place:198.51.100.0/24": old, "country:DE": old, "client:mutt|client.example.net": old}
    remember(place, login, "seen", **home)
    queue_id = send(
        place, login, "192.0.2.9", recipients=99, name="stranger", User_Agent="python-requests/2"
    )
    line = found(place, queue_id)["account.anomaly"]
    assert line["action"] == "hold" and int(line["score"]) >= 80
    for words in ("99x usual", "100% new recipients", "first mail from NL", "a new mail program"):
        assert words in line["evidence"], line["evidence"]


def test_people_one_writes_to_are_not_new(place, login):
    usually(place, login, an_hour=2, a_day=8)
    for n in range(3):  # from elsewhere each time: an answer of just now would be used again
        queue_id = send(place, login, f"203.0.{n}.7", recipients=16)
    assert "new recipients" not in found(place, queue_id)["account.anomaly"]["evidence"]


def test_without_the_store_nothing_looks_new(place, login):
    send(place, login, "203.0.113.7")
    for daemon in place.daemons:
        daemon.log.mark()
    place.redis.freeze()
    try:
        assert not found(place, send(place, login, "192.0.2.7"))
    finally:
        place.redis.thaw()
    wait_states(place.daemons, ["down", "up"])


def test_what_was_not_told_at_once_is_told(place, login):
    """Within ten seconds the store is asked once; the counts of all messages reach it all the same."""
    usually(place, login, an_hour=2, a_day=8)
    for _ in range(4):
        queue_id = send(place, login, recipients=10)
    assert found(place, queue_id)["account.anomaly"]["used"] == "40"
    queue_id = send(place, login, "198.51.100.1", recipients=10)
    assert found(place, queue_id)["account.anomaly"]["used"] == "50"
    with place.redis.client() as client:
        every = client.call("HGET", f"sluice:{{user:{login}}}:hours", "all")
    assert every.split()[2] == "50"


def test_who_sends_most(place):
    """A line for each login, the most first; with what is usual where that is known."""
    much, little, known = (f"user{next(_names)}@{DOMAIN}" for _ in range(3))
    usually(place, known, an_hour=3, a_day=24)
    send(place, little, recipients=2)
    send(place, much, recipients=90)
    send(place, known, recipients=20)
    rows = json.loads(place.ctl.run("top", "--json", "1000").stdout)
    assert [row["day"]["recipients"] for row in rows] == sorted(
        (row["day"]["recipients"] for row in rows), reverse=True
    )
    by_user = {row["user"]: row for row in rows}
    assert by_user[much] == {"user": much, "hour": {"recipients": 90}, "day": {"recipients": 90}}
    assert by_user[little]["hour"] == {"recipients": 2}
    assert by_user[known]["hour"] == {"recipients": 20, "usually": 3}
    assert by_user[known]["day"] == {"recipients": 20, "usually": 24}
    table = place.ctl.run("top", "2").stdout.splitlines()
    assert len(table) == 3 and table[0].split() == [
        "USER", "THIS", "HOUR", "USUALLY", "TODAY", "USUALLY",
    ]  # fmt: skip
    for words in (["0"], ["many"], ["-1"], ["1", "2"]):
        assert place.ctl.run("top", *words, check=False).returncode == 64


@pytest.fixture
def suspending(place):
    """The same site, where a high score suspends."""
    place.config.options["compromise-suspend"] = "90"
    reload(place)
    yield place
    place.config.options["compromise-suspend"] = "0"
    reload(place)


def reload(place):
    for daemon in place.daemons:
        daemon.log.mark()
        daemon.reload()
        daemon.log.wait(event="reloaded")


def test_a_stolen_account_is_suspended_and_released(suspending, login):
    place = suspending
    usually(place, login, an_hour=1, a_day=8)
    send(place, login, "198.51.100.1", User_Agent="Mutt/2.2")
    to = [f"x{n}@example.net" for n in range(90)]
    pose = {"ADDR": "192.0.2.9", "NAME": "[UNAVAILABLE]", "LOGIN": login}
    with smtp.Client(place.mta.submission_port, xclient=pose) as connection:
        # Held, or refused by whichever daemon comes after the suspension.
        connection.send(login, to, smtp.message(login, ["list@example.net"], User_Agent="Bot/2"))
    logs = [daemon.log for daemon in place.daemons]
    def told():
        return [line for log in logs for line in log.events(event="suspend", user=login)]
    (by,) = wait.poll(told, what="the account suspended", on_timeout=place.describe)
    assert (by["cause"], by["reason"]) == ("account.anomaly", "cause account.anomaly")
    pose = {"ADDR": "198.51.100.1", "NAME": "[UNAVAILABLE]", "LOGIN": login}
    with smtp.Client(place.mta.submission_port, xclient=pose) as connection:
        wait.poll(
            lambda: "[account.suspended]" in str(connection.send(login, ["r@example.net"]).refusal),
            what="the suspension in force",
        )
    assert "is forgiven" in place.ctl.run("release", login).stdout
    for daemon in place.daemons:
        daemon.stop()  # what a daemon was told within the last ten seconds is forgotten
        daemon.start()
    queue_id = send(place, login, "192.0.2.9", User_Agent="Bot/2")
    assert not found(place, queue_id), "what was forgiven does not trip it again"


def test_what_was_forgiven_counts_no_more(place, login):
    for n in range(6):
        send(place, login, f"10.{n}.0.1")
    place.ctl.run("release", login)
    assert "account.many-locations" not in found(place, send(place, login, "10.9.0.1"))
