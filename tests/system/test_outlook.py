# SPDX-License-Identifier: BSD-2-Clause
"""What receivers will say of our mail, said before it leaves: SPF of the addresses that we send
from, the published halves of our keys, DMARC and alignment.
"""

import ipaddress
import itertools
import json
import re

import pytest

from support import credentials, milter, nameserver, proof
from support import site as site_module

DOMAIN = site_module.DOMAIN
OURS = "198.51.100.9"
SECOND = "2001:db8::9"
CAUSES = [
    f"dns.{name}"
    for name in (
        "spf-missing",
        "spf-fail",
        "spf-broken",
        "dkim-missing",
        "dkim-mismatch",
        "dkim-weak",
        "dmarc-missing",
        "dmarc-broken",
        "unaligned",
        "failure",
    )
]
QUEUE_IDS = (f"O{number}" for number in itertools.count(1))


def key_line(selector, record, ttl=1):
    return f"{selector}._domainkey {ttl} IN TXT {nameserver.rdata_text(record)}\n"


MX = "@ IN MX 10 mx\nmx IN A 192.0.2.25\n"
GOOD_SPF = f'@ IN TXT "v=spf1 ip4:{OURS} ip6:{SECOND} -all"\n'
GOOD_DMARC = '_dmarc IN TXT "v=DMARC1; p=none"\n'

# Zones by the domain's first label: each has one thing wrong, or nothing.
SPF_ZONES = {
    "nospf": "",
    "second": f'@ IN TXT "v=spf1 ip4:{OURS} ~all"\n',
    "neutral": '@ IN TXT "v=spf1 mx ?all"\n',
    "early": f'@ IN TXT "v=spf1 -ip4:{OURS} +all"\n',
    "redirect": '@ IN TXT "v=spf1 redirect=_spf.redirect.test"\n_spf IN TXT "v=spf1 -all"\n',
    "twice": '@ IN TXT "v=spf1 mx -all"\n@ IN TXT "v=spf1 ip4:192.0.2.1 ~all"\n',
    "syntax": '@ IN TXT "v=spf1 ip4:198.51.100 -all"\n',
    "ten": '@ IN TXT "v=spf1 '
    + " ".join(["a:both.ten.test"] * 10)
    + f' ip4:{OURS} ip6:{SECOND} -all"\nboth IN A 127.0.0.1\nboth IN AAAA ::1\n',
    "voids": '@ IN TXT "v=spf1 a:a.voids.test a:b.voids.test a:c.voids.test -all"\n',
}
SPF_ZONES["lookups"] = (
    '@ IN TXT "v=spf1 ' + " ".join(["a:mx.lookups.test"] * 11) + ' -all"\n'
)


@pytest.fixture(scope="module")
def weak_key(tmp_path_factory):
    return credentials.DkimKey(tmp_path_factory.mktemp("keys"), "weak", bits=1024)


@pytest.fixture(scope="module")
def short_key(tmp_path_factory):
    return credentials.DkimKey(tmp_path_factory.mktemp("keys"), "short", bits=768)


@pytest.fixture(scope="module")
def other_key(tmp_path_factory):
    return credentials.DkimKey(tmp_path_factory.mktemp("keys"), "other")


def zones(own, weak, other):
    """All zones: with a key unless the key is what is wrong."""
    good_key = key_line("s1", own.record)
    found = {
        f"{label}.test": MX + spf + good_key + GOOD_DMARC for label, spf in SPF_ZONES.items()
    }
    keys = {
        "good": good_key,
        "nokey": "",
        "otherkey": key_line("s1", other.record),
        "revoked": key_line("s1", "v=DKIM1; k=rsa; p="),
        "testing": key_line("s1", own.record.replace("v=DKIM1;", "v=DKIM1; t=y;")),
        "noise": key_line("s1", "v=DKIM1; k=rsa; p=AAAA"),
        "weak": key_line("s1", weak.record),
        "short": "",
        "unsigned": "",
        "rollover": key_line("s1", other.record) + good_key,
    }
    for label, key in keys.items():
        found[f"{label}.test"] = MX + GOOD_SPF + key + GOOD_DMARC
    policies = {
        "nodmarc": "",
        "twodmarc": GOOD_DMARC + '_dmarc IN TXT "v=DMARC1; p=reject"\n',
        "baddmarc": '_dmarc IN TXT "v=DMARC1; p=perhaps"\n',
        "typodmarc": '_dmarc IN TXT "v=DMARC1; p=rejct; rua=joe@typodmarc.test"\n',
        "reports": '_dmarc IN TXT "v=DMARC1; p=none; rua=mailto:x@example.net"\n',
        "allowed": '_dmarc IN TXT "v=DMARC1; p=none; rua=mailto:x@reader.test"\n',
    }
    for label, policy in policies.items():
        found[f"{label}.test"] = MX + GOOD_SPF + good_key + policy
    found["reject.test"] = MX + '_dmarc IN TXT "v=DMARC1; p=reject; sp=quarantine"\nsub' + MX[1:]
    found["unsure.test"] = (
        MX + '@ IN TXT "v=spf1 -all"\ns1._domainkey IN CNAME s1.broken.test.\n' + GOOD_DMARC
    )
    found["reader.test"] = MX + 'allowed.test._report._dmarc IN TXT "v=DMARC1"\n'
    found["relayed.test"] = MX + '@ IN TXT "v=spf1 mx -all"\n' + good_key + GOOD_DMARC
    found["relay.test"] = '_spf IN TXT "v=spf1 ip4:203.0.113.0/24 -all"\n'
    found["listed.test"] = (
        MX + '@ IN TXT "v=spf1 include:_spf.relay.test -all"\n' + good_key + GOOD_DMARC
    )
    # our addresses have names that lead back to them
    found["good.test"] += f"out IN A {OURS}\nout IN AAAA {SECOND}\n"
    for address in (OURS, SECOND):
        host, zone = ipaddress.ip_address(address).reverse_pointer.split(".", 1)
        found[zone] = f"{host} IN PTR out.good.test.\n"
    return found


def sections(own, weak, short):
    text = "cause account.sender-mismatch { action = ignore }\n"
    signed = [label for label in SPF_ZONES] + [
        "good",
        "nokey",
        "otherkey",
        "revoked",
        "testing",
        "noise",
        "unsure",
        "rollover",
        "nodmarc",
        "twodmarc",
        "baddmarc",
        "typodmarc",
        "reports",
        "allowed",
        "relayed",
        "listed",
        "broken",
    ]
    for label in signed:
        text += f'sign {label}.test {{ selector = s1  key = "{own.private}" }}\n'
    text += f'sign weak.test {{ selector = s1  key = "{weak.private}" }}\n'
    text += f'sign short.test {{ selector = s1  key = "{short.private}" }}\n'
    text += (
        'relay smtp.relay.test { include = {"_spf.relay.test"}'
        ' senders = {"relayed.test", "listed.test"} }\n'
    )
    return text


@pytest.fixture(scope="module")
def place(module_site, dkim_key, weak_key, short_key, other_key):
    """The milter alone, asked as an MTA would."""
    return module_site(
        mta="none",
        parts=["sluice-milter"],
        sections=sections(dkim_key, weak_key, short_key),
        zones=zones(dkim_key, weak_key, other_key),
        options={
            "outgoing-addresses": f'{{"{OURS}", "{SECOND}"}}',
            "local-domains": '{"example.test", "good.test", "second.test", "early.test"}',
        },
    )


class Said:
    """What the log says of one message."""

    def __init__(self, place, sender, author=None, recipient="bob@example.net", headers=()):
        queue_id = next(QUEUE_IDS)
        fields = [
            ("Date", "Sat, 21 Nov 2026 00:00:00 +0000"),
            ("Message-ID", f"<{queue_id}@mx.example.test>"),
            *headers,
        ]
        with milter.Client(place.milter_socket, client="127.0.0.1") as client:
            client.connect()
            client.mail(sender)
            client.rcpt(recipient, queue_id)
            client.data(queue_id)
            for name, value in [("From", author or sender), *fields]:
                client.header(name, value)
            client.end_of_headers()
            client.body(b"Hello.\r\n")
            self.reply = client.end(queue_id)
        self.line = place.milter.log.wait(event="message", queue_id=queue_id)
        wanted = self.line.get("causes", "").split(",")
        self.causes = [each for each in wanted if each in CAUSES]
        self._log, self._queue_id = place.milter.log, queue_id

    def cause(self, name, **fields):
        return self._log.wait(event="cause", queue_id=self._queue_id, cause=name, **fields)


@proof.near_miss("dns.spf-fail", "dns.spf-missing", "dns.dkim-missing", "dns.dkim-weak")
def test_nothing_is_wrong(place):
    said = Said(place, "joe@good.test")
    assert said.causes == []
    assert said.line["dkim"] == "signed:s1/good.test"
    assert said.line["dkim-check"] == "pass"
    assert (said.line["spf"], said.line["dmarc"]) == ("pass", "pass")
    assert "predict" not in said.line


@proof.near_miss("dns.dkim-missing")
def test_a_bounce_of_our_own_needs_no_key(module_site):
    place = module_site(
        mta="none",
        parts=["sluice-milter"],
        zones={"mx.example.test": f'@ IN A {OURS}\n@ IN TXT "v=spf1 a -all"\n'},
        options={"outgoing-addresses": f'{{"{OURS}"}}', "local-domains": '{"example.test"}'},
    )
    said = Said(place, "", author="MAILER-DAEMON@mx.example.test")
    line = said.cause("dns.dkim-missing")
    assert line["action"] == "log"
    assert said.line["verdict"] == "accept"
    assert line["hint"].startswith("nothing has to be done: SPF of mx.example.test passes")


def test_a_bounce_without_spf_needs_that(place):
    line = Said(place, "", author="MAILER-DAEMON@mx.example.test").cause("dns.dkim-missing")
    assert line["action"] == "log"
    assert "publish the SPF record of mx.example.test" in line["hint"]


def test_other_mail_from_the_host_does(place):
    for sender, author in [
        ("joe@mx.example.test", "joe@mx.example.test"),
        ("", "joe@unsigned.test"),
    ]:
        said = Said(place, sender, author=author)
        assert said.cause("dns.dkim-missing")["action"] == "warn"


@proof.provokes("dns.spf-missing")
def test_spf_missing(place):
    said = Said(place, "joe@nospf.test")
    assert said.causes == ["dns.spf-missing"]
    assert said.line["spf"] == "none"
    assert said.cause("dns.spf-missing")["hint"].startswith(
        f'publish a TXT record at nospf.test: "v=spf1 ip4:{OURS} ip6:{SECOND} -all"'
    )
    assert said.line["predict"].startswith("gmail:5.7.27,outlook:5.7.515")


@proof.provokes("dns.spf-fail")
@pytest.mark.parametrize(
    "label, address, status, hint",
    [
        ("second", SECOND, "softfail", f'"v=spf1 ip4:{OURS} ip6:{SECOND} ~all"'),
        ("neutral", OURS, "neutral", f'"v=spf1 mx ip4:{OURS} ip6:{SECOND} ?all"'),
        ("early", OURS, "fail", f'"v=spf1 ip4:{OURS} -ip4:{OURS} +all"'),
        (
            "redirect",
            OURS,
            "fail",
            f'"v=spf1 ip4:{OURS} ip6:{SECOND} redirect=_spf.redirect.test"',
        ),
    ],
)
def test_spf_fail(place, label, address, status, hint):
    said = Said(place, f"joe@{label}.test")
    assert said.causes == ["dns.spf-fail"]
    assert said.line["spf"] == status
    found = said.cause("dns.spf-fail", ip=address)
    term = f"ip{6 if ':' in address else 4}:{address}"
    assert found["domain"] == f"{label}.test" and found["reply"] == "550 5.7.23"
    assert found["record"].startswith("v=spf1 ")
    assert re.fullmatch(r"\d+/10", found["lookups"]) and re.fullmatch(r"\d/2", found["void"])
    assert found["hint"].startswith(f"add {term} to the SPF record of {label}.test: {hint}")


@proof.provokes("dns.spf-broken")
@pytest.mark.parametrize(
    "label, lookups, void, problem, hint",
    [
        ("twice", "0/10", "0/2", "more than one", "publish one SPF record"),
        ("syntax", "0/10", "0/2", "ip4:198.51.100", "correct the SPF record of syntax.test"),
        ("lookups", "11/10", "0/2", "over 10 lookups", "10 lookups at most"),
        ("voids", "3/10", "3/2", "over 2 void lookups", "2 may be left"),
    ],
)
def test_spf_broken(place, label, lookups, void, problem, hint):
    said = Said(place, f"joe@{label}.test")
    assert said.causes == ["dns.spf-broken"]
    assert said.line["spf"] == "permerror"
    found = said.cause("dns.spf-broken")
    assert (found["lookups"], found["void"]) == (lookups, void)
    assert problem in found["problem"] and hint in found["hint"]


@proof.near_miss("dns.spf-broken")
def test_ten_lookups_are_not_too_many(place):
    said = Said(place, "joe@ten.test")
    assert said.causes == [] and said.line["spf"] == "pass"


def test_spf_of_helo_is_what_a_bounce_has(place):
    said = Said(place, "", author="postmaster@good.test")
    assert said.causes == ["dns.spf-missing"]
    found = said.cause("dns.spf-missing")
    assert (found["domain"], found["identity"]) == (site_module.HOSTNAME, "helo")


def test_spf_of_a_relay(place):
    said = Said(place, "joe@listed.test")
    assert said.causes == [] and said.line["spf"] == "pass"
    said = Said(place, "joe@relayed.test")
    assert said.causes == ["dns.spf-fail"]
    found = said.cause("dns.spf-fail")
    assert found["relay"] == "smtp.relay.test" and found["ip"].startswith("203.0.113.")
    assert '"v=spf1 mx include:_spf.relay.test -all"' in found["hint"]


@proof.provokes("dns.dkim-missing")
def test_dkim_missing(place, dkim_key):
    said = Said(place, "joe@nokey.test")
    assert said.causes == ["dns.dkim-missing"]
    assert said.line["dkim-check"] == "fail:no-key-is-published"
    found = said.cause("dns.dkim-missing")
    assert (found["domain"], found["selector"]) == ("nokey.test", "s1")
    assert found["hint"] == (
        f'publish a TXT record at s1._domainkey.nokey.test: "{dkim_key.record}"'
    )


def test_no_signing_key(place):
    said = Said(place, "joe@unsigned.test")
    assert said.causes == ["dns.dkim-missing"]
    assert said.line["dkim"] == "none:no-key" and said.line["dmarc"] == "pass"
    assert said.line["predict"].startswith("gmail:5.7.30,outlook:5.7.515")


@proof.provokes("dns.dkim-mismatch")
@pytest.mark.parametrize(
    "label, problem, check",
    [
        ("otherkey", "another one", "fail:the-signature-does-not-match"),
        ("revoked", "revoked", "fail:key-revoked"),
        ("testing", "t=y", "pass"),
        ("noise", "cannot be read", "fail:the-key-in-the-record-cannot-be-read"),
    ],
)
def test_dkim_mismatch(place, label, problem, check):
    said = Said(place, f"joe@{label}.test")
    assert said.causes == ["dns.dkim-mismatch"]
    assert problem in said.cause("dns.dkim-mismatch")["problem"]
    assert said.line["dkim-check"] == check


@proof.near_miss("dns.dkim-mismatch")
def test_one_of_two_published_keys_is_enough(place):
    said = Said(place, "joe@rollover.test")
    assert said.causes == [] and said.line["dkim-check"] == "pass"


@proof.provokes("dns.dkim-weak")
def test_dkim_weak(place):
    said = Said(place, "joe@weak.test")
    assert said.causes == ["dns.dkim-weak"]
    found = said.cause("dns.dkim-weak")
    assert (found["bits"], found["severity"]) == ("1024", "warn")
    assert said.line["dkim-check"] == "pass"


@proof.provokes("dns.dkim-weak")
def test_a_key_that_no_receiver_accepts(place):
    said = Said(place, "joe@short.test")
    assert said.line["dkim"] == "none:key-weak"
    found = said.cause("dns.dkim-weak")
    assert (found["severity"], found["selector"]) == ("error", "s1")
    assert "RSA key of 768 bits" in found["problem"] and found["key"] in found["hint"]
    assert "sluicectl keygen short.test; retire s1" in found["hint"]


@proof.provokes("dns.dmarc-missing")
def test_dmarc_missing(place):
    said = Said(place, "joe@nodmarc.test")
    assert said.causes == ["dns.dmarc-missing"]
    assert said.line["dmarc"] == "none"
    assert '"v=DMARC1; p=none; rua=mailto:postmaster@nodmarc.test"' in said.cause(
        "dns.dmarc-missing"
    )["hint"]
    assert said.line["predict"].startswith("gmail:5.7.40,outlook:5.7.515")


@proof.near_miss("dns.dmarc-missing")
def test_a_subdomain_has_its_parents_policy(place):
    said = Said(place, "joe@good.test", author="joe@sub.good.test")
    assert said.line["dmarc"] == "pass"
    assert "dns.dmarc-missing" not in said.causes


@proof.provokes("dns.dmarc-broken")
@pytest.mark.parametrize(
    "label, problem, record",
    [
        ("twodmarc", "more than one record at _dmarc.twodmarc.test", "p=none"),
        ("baddmarc", "a policy is none, quarantine or reject", "p=none"),
        ("typodmarc", "a policy is", "p=reject; rua=mailto:joe@typodmarc.test"),
        ("reports", "mailto:x@example.net", None),
    ],
)
def test_dmarc_broken(place, label, problem, record):
    said = Said(place, f"joe@{label}.test")
    assert "dns.dmarc-broken" in said.causes
    line = said.cause("dns.dmarc-broken")
    assert problem in line["problem"]
    if record is None:
        assert '_report._dmarc.example.net: "v=DMARC1"' in line["hint"]
    else:
        assert f"at _dmarc.{label}.test" in line["hint"]
        assert f'"v=DMARC1; {record}"' in line["hint"]


@proof.near_miss("dns.dmarc-broken")
def test_reports_may_go_where_they_are_asked_for(place):
    assert Said(place, "joe@allowed.test").causes == []


@proof.provokes("dns.unaligned")
@pytest.mark.parametrize(
    "author, policy, predicted",
    [
        ("joe@reject.test", "reject", "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"),
        ("joe@sub.reject.test", "quarantine", "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"),
        ("joe@nothing.test", "none", "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"),
    ],
)
def test_unaligned(place, author, policy, predicted):
    said = Said(place, "joe@good.test", author=author)
    assert "dns.unaligned" in said.causes
    found = said.cause("dns.unaligned")
    assert found["policy"] == policy and found["reply"] == "550 5.7.26"
    assert (found["spf"], found["dkim"]) == ("pass:good.test", "none")
    assert said.line["dmarc"] == ("none" if policy == "none" else f"fail({policy})")
    assert said.line["predict"] == predicted


@proof.near_miss("dns.unaligned")
def test_aligned_by_a_signature_alone(place):
    said = Said(place, "joe@second.test", author="joe@good.test")
    assert "dns.unaligned" not in said.causes
    assert said.line["dmarc"] == "pass"


def test_nothing_is_foretold_of_mail_that_stays(place):
    said = Said(place, "joe@nodmarc.test", recipient="bob@example.test")
    assert "predict" not in said.line


def test_a_dead_name_server_is_no_answer(place):
    said = Said(place, "joe@good.test", author="joe@broken.test")
    assert said.line["dmarc"] == "temperror"
    assert "dns.unaligned" not in said.causes and "dns.dmarc-missing" not in said.causes
    assert said.line["dkim-check"] == "temperror"
    lookups = "TXT s1._domainkey.broken.test,TXT _dmarc.broken.test"
    event = said.cause("dns.failure", domain="broken.test", problem="SERVFAIL", lookups=lookups)
    assert '"dig TXT _dmarc.broken.test"' in event["hint"]


class TestCache:
    """A busy sender costs no lookup per message, and a local part in a record is no excuse."""

    @pytest.fixture(scope="class")
    def quiet(self, module_site, dkim_key):
        lasting = "$TTL 3600\n" + MX + "helo IN A 127.0.0.1\n"
        lasting += f'helo IN TXT "v=spf1 ip4:{OURS} -all"\n'
        policy = '_dmarc IN TXT "v=DMARC1; p=none; psd=n"\n'
        key = key_line("s1", dkim_key.record, ttl=3600)
        spf = {
            "busy": f'@ IN TXT "v=spf1 ip4:{OURS} -all"\n',
            "local": '@ IN TXT "v=spf1 exists:%{l}.ok.local.test -all"\njoe.ok IN A 127.0.0.2\n',
        }
        return module_site(
            mta="none",
            parts=["sluice-milter"],
            sections="".join(
                f'sign {label}.test {{ selector = s1  key = "{dkim_key.private}" }}\n'
                for label in spf
            ),
            zones={f"{label}.test": lasting + spf[label] + key + policy for label in spf},
            options={
                "outgoing-addresses": f'{{"{OURS}"}}',
                "outgoing-helo": "helo.busy.test",
                "local-domains": '{"busy.test", "local.test"}',
            },
        )

    def test_a_hundred_messages_are_asked_about_once(self, quiet):
        first = Said(quiet, "joe@busy.test", recipient="ann@busy.test")
        assert first.line["spf"] == first.line["dmarc"] == first.line["dkim-check"] == "pass"
        before = quiet.dns.queries()
        for number in range(100):
            Said(quiet, f"user{number}@busy.test", recipient="ann@busy.test")
        assert 0 < before and quiet.dns.queries() - before < 10

    def test_a_record_may_ask_for_the_local_part(self, quiet):
        for sender, status in [("joe", "pass"), ("ann", "fail"), ("joe", "pass"), ("ann", "fail")]:
            assert Said(quiet, f"{sender}@local.test").line["spf"] == status


class TestKeyLife:
    """A new key signs when its record has been visible for its TTL, and not before."""

    DOMAIN = "life.test"

    def zone(self, *keys):
        lines = "".join(key_line(selector, key.record, ttl=2) for selector, key in keys)
        return MX + GOOD_SPF + GOOD_DMARC + lines

    @pytest.fixture
    def start(self, station):
        def begin(sections, options=None, *keys):
            return station(
                parts=["sluice-milter"],
                sections=sections,
                options={"local-domains": f'{{"{self.DOMAIN}"}}', **(options or {})},
                zones={self.DOMAIN: self.zone(*keys)},
            )

        return begin

    def section(self, selector, key, state):
        return (
            f'sign {self.DOMAIN} {{ selector = {selector}  key = "{key.private}"'
            f"  state = {state} }}\n"
        )

    def state(self, place, state, why):
        event = place.milter.log.wait(event="key-state", selector="s2", state=state)
        assert event["domain"] == self.DOMAIN and why in event["why"]
        return event

    def dkim(self, place):
        return Said(place, f"joe@{self.DOMAIN}").line["dkim"]

    def test_from_publish_to_retire(self, start, dkim_key, other_key):
        old, new = ("s1", dkim_key), ("s2", other_key)
        place = start(self.section(*old, "active") + self.section(*new, "publish"), None, old)
        self.state(place, "publish", "not published yet")
        assert self.dkim(place) == f"signed:s1/{self.DOMAIN}"
        place.milter.log.mark()
        place.dns.set_zone(self.DOMAIN, self.zone(old, new))
        event = place.milter.log.wait(
            event="key-state", selector="s2", state="publish", why="its record is visible"
        )
        assert 1 <= int(event["signs-in"]) <= 2
        self.state(place, "active", "visible for its TTL")
        assert self.dkim(place) == f"signed:s1/{self.DOMAIN},s2/{self.DOMAIN}"
        # a reload does not make it wait again, and what is retired signs no more
        place.milter.log.mark()
        place.config.sections = self.section(*old, "retire") + self.section(*new, "publish")
        place.milter.reload()
        self.state(place, "active", "visible for its TTL")
        assert self.dkim(place) == f"signed:s2/{self.DOMAIN}"

    def kept(self, place):
        return (place.folder / "state" / "sluice-milter.keys").read_text()

    def test_a_restart_goes_on_with_the_wait(self, start, other_key, dkim_key):
        new = ("s2", other_key)
        place = start(self.section(*new, "publish"), None)
        self.state(place, "publish", "not published yet")
        assert not (place.folder / "state" / "sluice-milter.keys").exists()
        place.dns.set_zone(self.DOMAIN, self.zone(new).replace(" 2 IN", " 3600 IN"))
        place.milter.log.wait(event="key-state", why="its record is visible")
        [domain, selector, digest, since, ttl] = self.kept(place).split()
        assert (domain, selector, ttl) == (self.DOMAIN, "s2", "3600")
        self.restart(place, since)
        event = place.milter.log.wait(event="key-state", why="its record is visible")
        assert 3000 < int(event["signs-in"]) <= 3600 and event["state"] == "publish"
        assert self.kept(place).split()[3] == since
        self.restart(place, int(since) - 3601)
        assert self.dkim(place) == f"signed:s2/{self.DOMAIN}"
        self.state(place, "active", "visible for its TTL")
        # of another key under the same name nothing is known
        place.config.sections = self.section("s2", dkim_key, "publish")
        self.restart(place, int(since) - 3601)
        self.state(place, "publish", "another one")
        assert self.dkim(place) == "none:key-not-visible"

    def restart(self, place, since):
        """After a pause that makes that the second in which the record was seen."""
        place.milter.stop()
        words = self.kept(place).split()
        (place.folder / "state" / "sluice-milter.keys").write_text(
            " ".join([*words[:3], str(since), words[4]]) + "\n"
        )
        place.milter.log.mark()
        place.milter.start()
        place.milter.log.wait(event="started")

    def test_alone_it_signs_nothing_before(self, start, other_key, dkim_key):
        place = start(self.section("s2", other_key, "publish"), None, ("s2", dkim_key))
        self.state(place, "publish", "another one")
        said = Said(place, f"joe@{self.DOMAIN}")
        assert said.line["dkim"] == "none:key-not-visible"
        assert "visible" in said.cause("dns.dkim-missing")["problem"]

    def test_in_a_folder_the_files_name_says_it(self, start, dkim_key, other_key, folder):
        keys = folder / "folder" / self.DOMAIN
        keys.mkdir(parents=True)
        for name, key in [("s1.pem", dkim_key), ("s2.publish", other_key), ("s3.retire", dkim_key)]:
            (keys / name).write_bytes(key.private.read_bytes())
            (keys / name).chmod(0o600)
        place = start("", {"sign-keys": f'"{keys.parent}"'}, ("s1", dkim_key))
        self.state(place, "publish", "not published yet")
        assert place.milter.log.wait(event="key-state", selector="s3")["state"] == "retire"
        assert self.dkim(place) == f"signed:s1/{self.DOMAIN}"


class TestCheckDns:
    """sluicectl check dns says the same by hand."""

    def run(self, place, *words, status):
        done = place.ctl.run("check", "dns", *words, check=False)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def causes(self, text):
        return [line.split()[0] for line in text.splitlines() if line.startswith("  cause=")]

    def test_all_is_well(self, place):
        text = self.run(place, "good.test", status=0)
        assert "DKIM   s1/good.test: the published key is ours, state active" in text
        assert f"SPF    good.test from {OURS}: pass by ip4:{OURS}, 0 of 10 lookups" in text
        assert "DMARC  pass, policy none at _dmarc.good.test" in text
        assert self.causes(text) == []

    @pytest.mark.parametrize(
        "label, cause",
        [
            ("nospf", "dns.spf-missing"),
            ("second", "dns.spf-fail"),
            ("lookups", "dns.spf-broken"),
            ("nokey", "dns.dkim-missing"),
            ("unsigned", "dns.dkim-missing"),
            ("otherkey", "dns.dkim-mismatch"),
            ("weak", "dns.dkim-weak"),
            ("short", "dns.dkim-weak"),
            ("nodmarc", "dns.dmarc-missing"),
            ("twodmarc", "dns.dmarc-broken"),
        ],
    )
    def test_what_is_wrong(self, place, label, cause):
        text = self.run(place, f"{label}.test", status=1)
        assert self.causes(text) == [f"cause={cause}"]
        assert "    hint: " in text

    def test_a_revoked_key_is_not_to_be_published_again(self, place):
        text = self.run(place, "revoked.test", status=1)
        assert self.causes(text) == ["cause=dns.dkim-mismatch"]
        assert "DKIM   s1/revoked.test: the published key is revoked" in text
        assert "sluicectl keygen revoked.test" in text and "to publish at" not in text
        assert "to publish at s1._domainkey.otherkey.test" in self.run(
            place, "otherkey.test", status=1
        )

    def test_a_domain_that_does_not_exist(self, place):
        assert "cause=dns.sender-domain" in self.run(place, "no-such-domain.test", status=1)

    def test_json_and_several_domains(self, place):
        [good, bad] = json.loads(self.run(place, "--json", "good.test", "nospf.test", status=1))
        assert (good["domain"], good["spf"], good["causes"]) == ("good.test", "pass", [])
        assert [row["cause"] for row in bad["causes"]] == ["dns.spf-missing"]

    def test_a_dead_name_server_is_no_answer(self, place):
        text = self.run(place, "broken.test", status=69)
        assert set(self.causes(text)) == {"cause=dns.failure"}

    def test_a_key_that_cannot_be_asked_for_leaves_dmarc_open(self, place):
        text = self.run(place, "unsure.test", status=1)
        assert "DKIM   s1/unsure.test: the DNS does not answer" in text
        assert "DMARC  not known, policy none at _dmarc.unsure.test" in text

    def test_wrong_words(self, place):
        for words in ([], ["moon"], ["dns", "a..b"]):
            assert place.ctl.run("check", *words, check=False).returncode == 64
