# SPDX-License-Identifier: BSD-2-Clause
"""dns.mx-broken, dns.sender-no-mail, dns.ptr and reputation.*: what the world sees, from real zones."""

import dataclasses

import pytest

from support import milter, policy, proof, sluice, wait
from support import site as site_module

DOMAIN = site_module.DOMAIN
BOB = f"bob@{DOMAIN}"
GOOD, BARE, WRONG, LISTED, LISTED6 = (
    "198.51.100.9",
    "198.51.100.10",
    "198.51.100.11",
    "198.51.100.12",
    "2001:db8::c",
)
LISTED6_NIBBLES = ".".join(reversed("20010db800000000000000000000000c"))
LIST_TEXT = "Spam source, see https://bl.test/query?ip=198.51.100.12"
TEST_POINTS = '2.0.0.127 IN A 127.0.0.2\n2.0.0.127 IN TXT "a test"\n'
BLOCKLIST = TEST_POINTS + f'12.100.51.198 IN A 127.0.0.4\n12.100.51.198 IN TXT "{LIST_TEXT}"\n'
ZONES = {
    "literal.test": "@ IN MX 10 203.0.113.5.\n",
    "private.test": "@ IN MX 10 mx\nmx IN A 192.168.7.7\n",
    "loopback.test": "@ IN MX 10 mx\nmx IN A 127.0.0.1\n",
    "loopback6.test": "@ IN MX 10 mx\nmx IN AAAA ::1\n",
    "nowhere.test": "@ IN MX 10 gone\n",
    "implicit.test": "@ IN A 192.168.7.8\n",
    "nullbeside.test": "@ IN MX 0 .\n@ IN MX 10 mx\nmx IN A 203.0.113.25\n",
    "six-alone.test": "@ IN MX 10 mx\nmx IN AAAA 2001:db8::25\n",
    "half.test": "@ IN MX 10 mx\n@ IN MX 20 gone\nmx IN A 203.0.113.25\n",
    "inside.test": "@ IN MX 10 mx\nmx IN A 10.9.9.9\n",
    "100.51.198.in-addr.arpa": (
        "9 IN PTR mx1.out.test.\n11 IN PTR wrong.out.test.\n12 IN PTR mx4.out.test.\n"
    ),
    "8.b.d.0.1.0.0.2.ip6.arpa": f"{LISTED6_NIBBLES[:-16]} IN PTR mx5.out.test.\n",
    "out.test": (
        f"mx1 IN A {GOOD}\nwrong IN A 203.0.113.99\nmx4 IN A {LISTED}\nmx5 IN AAAA {LISTED6}\n"
    ),
    "bl.test": BLOCKLIST + f"{LISTED6_NIBBLES} IN A 127.0.0.4\n",
    # lists everything, and so is not to be believed
    "everything.test": '* IN A 127.0.0.2\n* IN TXT "expired"\n',
    # the same of IPv6 alone
    "six.test": TEST_POINTS
    + f"1.0.0.0.0.0.f.7.f.f.f.f.{'0.' * 19}0 IN A 127.0.0.2\n{LISTED6_NIBBLES} IN A 127.0.0.2\n",
    # takes no questions from us
    "refusing.test": "* IN A 127.255.255.254\n",
    "dbl.test": (
        'test IN A 127.0.1.2\nbad.test IN A 127.0.1.2\nbad.test IN TXT "spammed domain"\n'
        "odd.test IN A 127.0.1.255\n"
    ),
    "bad.test": "@ IN MX 10 mx\nmx IN A 203.0.113.25\n",
    "odd.test": "@ IN MX 10 mx\nmx IN A 203.0.113.25\n",
}
OPTIONS = {
    "outgoing-addresses": "{"
    + ", ".join(f'"{each}"' for each in (GOOD, BARE, WRONG, LISTED, LISTED6))
    + "}",
    "internal-networks": '{"127.0.0.0/8", "10.0.0.0/8"}',
    "reputation-refresh": "1s",
    "sender-login": '{"inline:{bob@bad.test=bob@example.test, bob@odd.test=bob@example.test}", "equal"}',
}
SECTIONS = """
blocklist "bl.test" { kind = ip }
blocklist "everything.test" { kind = ip }
blocklist "six.test" { kind = ip }
blocklist "refusing.test" { kind = ip }
blocklist "dbl.test" { kind = domain  codes = {"127.0.1.0/25"} }
"""
OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "[UNAVAILABLE]"}


@pytest.fixture(scope="module")
def place(module_site):
    """Everything has been looked up once."""
    place = module_site(options=OPTIONS, sections=SECTIONS, zones=ZONES)
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="cause", cause="reputation.ip-listed", ip=LISTED6)
    return place


@dataclasses.dataclass
class Case:
    name: str
    problem: str
    record: str
    near: str = "carol@example.net"

    def __str__(self):
        return f"dns.mx-broken-{self.name}"


MX_CASES = [
    Case("literal", "is an address", "MX 10 203.0.113.5."),
    Case("cname", "is an alias (CNAME)", "MX 10 alias.cname.test."),
    Case("private", "has the private address 192.168.7.7", "MX 10 mx.private.test."),
    Case("loopback", "has the loopback address 127.0.0.1", "MX 10 mx.loopback.test."),
    Case("loopback6", "has the loopback address ::1", "MX 10 mx.loopback6.test."),
    Case("nowhere", "has no address", "MX 10 gone.nowhere.test."),
    Case("implicit", "has the private address 192.168.7.8", "A 192.168.7.8", near="carol@address.test"),
    Case("nullbeside", "says that the domain takes no mail, beside", "MX 0 .", near="carol@six-alone.test"),
    Case("half", "has no address", "MX 20 gone.half.test.", near="carol@inside.test"),
]


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=proof.both("dns.mx-broken"), id=str(case)) for case in MX_CASES],
)
def test_mx(place, case):
    recipient = f"carol@{case.name}.test"
    outcome = place.send("bob", [recipient])
    assert outcome.accepted, outcome.refusal
    for daemon in (place.policyd, place.milter):
        [event] = [
            daemon.log.wait(event="cause", cause="dns.mx-broken", queue_id=outcome.queue_id)
        ]
        assert (event["rcpt"], event["record"]) == (recipient, case.record)
        assert event["problem"].startswith(case.problem)
        assert f"postmaster@{case.name}.test" in event["hint"] and case.record in event["hint"]

    near = place.send("bob", [case.near])
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="message", queue_id=near.queue_id)
        assert not daemon.log.events(cause="dns.mx-broken", queue_id=near.queue_id)


REPAIRS = {
    "literal": "publish the name of the host with that address in its place",
    "cname": "(dig alias.cname.test shows it)",
    "private": "publish an address of mx.private.test that can be reached from everywhere",
    "nowhere": "publish an A or AAAA record of gone.nowhere.test, or take the MX record out",
    "implicit": 'publish "implicit.test. MX 10 ..."',
    "nullbeside": "take it out, or all the others",
}


def test_our_own_mx(place):
    """sluicectl check dns sees of a domain what others see; the repair is its administrator's."""
    for name, repair in REPAIRS.items():
        done = place.ctl.run("check", "dns", f"{name}.test", check=False)
        assert done.returncode == 1 and "cause=dns.mx-broken" in done.stdout
        assert repair in done.stdout, done.stdout
    ours = ["-o", 'local-domains={"literal.test"}', "check", "dns", "literal.test"]
    done = place.ctl.run(*ours, check=False)
    assert f'publish "literal.test. MX 10 {site_module.HOSTNAME}."' in done.stdout
    assert "postmaster@literal.test by another way" not in done.stdout
    for name in ("six-alone.test", "address.test", "inside.test"):
        assert "dns.mx-broken" not in place.ctl.run("check", "dns", name, check=False).stdout


def test_each_domain_is_told_of_once(place):
    outcome = place.send("bob", ["a@literal.test", "b@literal.test", "c@private.test"])
    place.milter.log.wait(event="message", queue_id=outcome.queue_id)
    wait.poll(
        lambda: len(place.milter.log.events(cause="dns.mx-broken", queue_id=outcome.queue_id)) == 2,
        what="both domains",
    )


@proof.provokes("dns.sender-no-mail")
@proof.near_miss("dns.sender-no-mail")
def test_sender_that_nobody_can_answer(place):
    for sender, record in (
        ("someone@nullmx.test", "in place of its null MX"),
        ("someone@nothing.test", "tell who runs nothing.test to publish"),
    ):
        with place.client(xclient=OUTSIDE) as client:
            outcome = client.send(sender, [f"alice@{DOMAIN}"], subject=sender)
        assert outcome.accepted, outcome.refusal
        event = place.milter.log.wait(cause="dns.sender-no-mail", queue_id=outcome.queue_id)
        assert (event["from"], event["action"], event["reply"]) == (sender, "warn", "550 5.7.27")
        assert record in event["hint"]
        warnings = place.sink.wait_subject(sender).message.get_all("X-Sluice-Warning")
        assert any("[dns.sender-no-mail]" in warning and sender in warning for warning in warnings)

    with place.client(xclient=OUTSIDE) as client:
        near = client.send("someone@address.test", [f"alice@{DOMAIN}"])
    place.milter.log.wait(event="message", queue_id=near.queue_id)
    assert not place.milter.log.events(cause="dns.sender-no-mail", queue_id=near.queue_id)


@proof.provokes("dns.ptr", "reputation.ip-listed")
@proof.near_miss("dns.ptr", "reputation.ip-listed")
def test_outgoing_addresses(place):
    """One has no reverse name, one has a wrong one, two are on a list; the first one is right."""
    outcome = place.send("bob", ["carol@example.net"])
    log = place.milter.log
    log.wait(event="message", queue_id=outcome.queue_id)
    ptr = {each["ip"]: each for each in log.events(cause="dns.ptr", queue_id=outcome.queue_id)}
    assert set(ptr) == {BARE, WRONG}
    assert ptr[BARE]["problem"] == "there is no PTR record"
    assert '"10.100.51.198.in-addr.arpa. PTR mx.example.test."' in ptr[BARE]["hint"]
    assert (ptr[WRONG]["ptr"], ptr[WRONG]["leads-to"]) == ("wrong.out.test", "203.0.113.99")
    assert f'publish "wrong.out.test. A {WRONG}" beside 203.0.113.99' in ptr[WRONG]["hint"]
    assert ptr[WRONG]["reply"] == "550 5.7.25"

    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="message", queue_id=outcome.queue_id)
        listed = {
            each["ip"]: each
            for each in daemon.log.events(cause="reputation.ip-listed", queue_id=outcome.queue_id)
        }
        assert set(listed) == {LISTED, LISTED6}
        event = listed[LISTED]
        assert (event["list"], event["code"], event["text"]) == ("bl.test", "127.0.0.4", LIST_TEXT)
        assert (event["action"], event["reply"]) == ("warn", "550 5.7.1")
        assert f"ask for removal from bl.test, which says: {LIST_TEXT}" in event["hint"]


def test_lists_that_are_not_believed(place):
    """One lists everything, one that of IPv6, one takes no questions: the log says so, and none of
    them lists anything.
    """
    six = place.milter.log.wait(cause="dns.failure", list="six.test")
    assert six["problem"].startswith("1.0.0.0.0.0.f.7.f.f.f.f.0.")
    everything = place.milter.log.wait(cause="dns.failure", list="everything.test")
    assert "as if it listed everything" in everything["problem"]
    refusing = place.milter.log.wait(cause="dns.failure", list="refusing.test")
    assert refusing["problem"] == "it refuses our questions (127.255.255.254)"
    assert "dig 2.0.0.127.refusing.test" in refusing["hint"]
    found = place.milter.log.events(cause="reputation.ip-listed")
    assert {each["list"] for each in found} == {"bl.test"}


@proof.provokes("reputation.domain-listed")
@proof.near_miss("reputation.domain-listed")
def test_from_domain(place):
    """A From domain on the list; and one whose answer is not among the codes that count."""
    outcome = place.send("bob", ["carol@example.net"], From="bob@bad.test")
    assert outcome.accepted, outcome.refusal
    event = place.milter.log.wait(cause="reputation.domain-listed", queue_id=outcome.queue_id)
    assert (event["domain"], event["in"], event["list"]) == ("bad.test", "from", "dbl.test")
    assert (event["code"], event["text"]) == ("127.0.1.2", "spammed domain")
    assert "ask dbl.test for removal: spammed domain" in event["hint"]

    for address in ("bob@odd.test", BOB):
        near = place.send("bob", ["carol@example.net"], From=address)
        place.milter.log.wait(event="message", queue_id=near.queue_id)
        assert not place.milter.log.events(
            cause="reputation.domain-listed", queue_id=near.queue_id
        )


@proof.provokes("reputation.domain-listed")
def test_link_domain(place):
    outcome = place.send("bob", ["carol@example.net"], body="Look: https://www.bad.test/offer\n")
    event = place.milter.log.wait(cause="reputation.domain-listed", queue_id=outcome.queue_id)
    assert (event["domain"], event["in"]) == ("bad.test", "link")
    assert "remove the link to bad.test" in event["hint"]


def test_what_has_changed_is_seen(station):
    """In the background, and said once: listed, gone; a reverse name that is repaired."""
    options = {**OPTIONS, "outgoing-addresses": f'{{"{LISTED}", "{BARE}"}}'}
    place = station(options=options, sections='blocklist "bl.test" { kind = ip }', zones=ZONES)
    log = place.policyd.log
    assert log.wait(cause="reputation.ip-listed", ip=LISTED)["state"] == "listed"
    assert log.wait(cause="dns.ptr", ip=BARE)["state"] == "bad"
    place.dns.set_zone("bl.test", TEST_POINTS)
    reverse = ZONES["100.51.198.in-addr.arpa"] + "10 IN PTR mx2.out.test.\n"
    place.dns.set_zone("out.test", ZONES["out.test"] + f"mx2 IN A {BARE}\n")
    place.dns.set_zone("100.51.198.in-addr.arpa", reverse)
    log.wait(cause="reputation.ip-listed", ip=LISTED, state="gone")
    log.wait(cause="dns.ptr", ip=BARE, state="good", ptr="mx2.out.test")
    assert len(log.events(cause="reputation.ip-listed")) == 2


USERS = [f"user{number}@{DOMAIN}" for number in range(50)]
# None of them loses a message to a limit.
EVERYTHING = """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
blocklist "bl.test" { kind = ip }
blocklist "dbl.test" { kind = domain }
"""
LINKS = b"Look: https://www.example.net/offer and https://bad.test/\r\n"


def ask_both(number, asker, mta):
    """One message of one of the users, as Postfix asks both daemons, or one from outside."""
    user = USERS[number % len(USERS)]
    recipient = f"carol@{('example.net', 'address.test', 'half.test', 'bad.test')[number % 4]}"
    queue_id = f"W{number}"
    asker.message(queue_id, [recipient], sasl_username=user, sender=user)
    reply = mta.message(queue_id, user, [recipient], login=user, body=LINKS)
    assert reply.passes, reply
    if number % 10 == 0:
        reply = mta.message(f"I{number}", "dave@example.net", [user], body=LINKS)
        assert reply.passes, reply


def test_no_question_for_a_message(station):
    """Everything is looked for, and once the answers are known no message asks anything."""
    options = {
        **OPTIONS,
        "reputation-refresh": "1h",
        "outgoing-addresses": f'{{"{GOOD}", "{LISTED6}"}}',
        "mode": "observe",
    }
    place = station(
        options=options, sections=EVERYTHING, zones=ZONES, ttl=3600, parts=sluice.DAEMONS
    )
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="cause", cause="reputation.ip-listed", ip=LISTED6)
    with policy.Client(place.policy_socket) as asker, milter.Client(place.milter_socket) as mta:
        mta.connect()
        for number in range(100):
            ask_both(number, asker, mta)
        known = place.dns.queries()
        assert known > 50
        for number in range(100, 1100):
            ask_both(number, asker, mta)
    assert place.dns.queries() == known
    for cause in ("reputation.domain-listed", "dns.mx-broken", "reputation.ip-listed"):
        place.milter.log.wait(event="cause", cause=cause, queue_id="W1098")
