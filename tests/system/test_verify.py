# SPDX-License-Identifier: BSD-2-Clause
"""Mail from outside, signed by dkimpy and judged by us; python3-authres reads what we say."""

import base64
import itertools
import os
import signal
import subprocess

import authres
import dkim
import pytest
from nacl.signing import SigningKey

from support import nameserver, sluice, smtp, wait

SENDER = "joe@outside.test"
SEED = b"thirty-two octets are a test key"


def ed25519_record():
    public = bytes(SigningKey(SEED).verify_key)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}"


def outside_zones(dkim_key, policy="reject"):
    """A domain of the world that does everything right."""
    records = (
        "@ IN MX 10 mx\nmx IN A 203.0.113.7\n"
        '@ IN TXT "v=spf1 ip4:203.0.113.7 -all"\n'
        'mx IN TXT "v=spf1 a -all"\n'
        f'_dmarc IN TXT "v=DMARC1; p={policy}"\n'
        f"r1._domainkey IN TXT {nameserver.rdata_text(dkim_key.record)}\n"
        f"e1._domainkey IN TXT {nameserver.rdata_text(ed25519_record())}\n"
    )
    return {
        "outside.test": records,
        "113.0.203.in-addr.arpa": "7 IN PTR mx.outside.test.\n",
    }


def signed(dkim_key, data, selector="r1", **options):
    """The message with a signature of outside.test by dkimpy on top."""
    if selector == "e1":
        options["signature_algorithm"] = b"ed25519-sha256"
        private = base64.b64encode(SEED)
    else:
        private = dkim_key.private.read_bytes()
    return dkim.sign(data, selector.encode(), b"outside.test", private, **options) + data


def results(value):
    """The results of a field's value: [(method, result, {property: value})], without arc=none."""
    header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    return header.authserv_id, [
        (
            one.method,
            one.result,
            {f"{entry.type}.{entry.name}": entry.value for entry in one.properties},
        )
        for one in header.results
        if (one.method, one.result) != ("arc", "none")
    ]


class TestCommand:
    @pytest.fixture
    def verify(self, make_dns, folder, dkim_key):
        """verify(data, *words): the results that sluicectl prints."""
        server = make_dns(outside_zones(dkim_key))
        ctl = sluice.Ctl(sluice.Config(folder, {"hostname": "mx.example.test"}))

        def run(data, *words):
            path = folder / "message"
            path.write_bytes(data)
            printed = ctl.run("verify", "-o", f"resolver={server.resolver}", *words, path).stdout
            assert printed.count("\n") == 1
            authserv_id, found = results(printed.strip())
            assert authserv_id == "mx.example.test"
            return found

        return run

    @pytest.mark.parametrize("canon", ["simple", "relaxed"])
    @pytest.mark.parametrize("selector", ["r1", "e1"])
    @pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
    def test_a_signature_of_dkimpy(self, verify, dkim_key, canon, selector, ends):
        body = "  hello \t world \n\n \n"
        data = smtp.message(SENDER, ["a@example.test"], body=body, X_Odd="a\tb   c")
        kind = canon.encode()
        data = signed(dkim_key, data, selector, canonicalize=(kind, kind))
        [(method, result, found), dmarc] = verify(data.replace(b"\r\n", ends))
        assert (method, result) == ("dkim", "pass")
        assert (found["header.d"], found["header.s"]) == ("outside.test", selector)
        assert len(found["header.b"]) == 8
        wanted = {"header.from": "outside.test", "policy.dmarc": "reject"}
        assert dmarc == ("dmarc", "pass", wanted)

    def test_two_signatures_and_a_change(self, verify, dkim_key):
        data = smtp.message(SENDER, ["a@example.test"], subject="two")
        data = signed(dkim_key, signed(dkim_key, data, "r1"), "e1")
        assert [one[:2] for one in verify(data)] == [
            ("dkim", "pass"),
            ("dkim", "pass"),
            ("dmarc", "pass"),
        ]
        assert [one[:2] for one in verify(data.replace(b"two", b"one"))] == [
            ("dkim", "fail"),
            ("dkim", "fail"),
            ("dmarc", "fail"),
        ]

    def test_a_client(self, verify, dkim_key):
        data = smtp.message(SENDER, ["a@example.test"])
        words = ("--ip", "203.0.113.7", "--helo", "mx.outside.test", "--mail-from")
        assert verify(data, *words, SENDER) == [
            ("dkim", "none", {}),
            ("spf", "pass", {"smtp.mailfrom": SENDER}),
            ("spf", "pass", {"smtp.helo": "mx.outside.test"}),
            ("iprev", "pass", {"policy.iprev": "203.0.113.7"}),
            ("dmarc", "pass", {"header.from": "outside.test", "policy.dmarc": "reject"}),
        ]
        assert [one[0] for one in verify(data, *words, "<>")] == ["dkim", "spf", "iprev", "dmarc"]

    def test_the_time_of_the_signature(self, verify, dkim_key):
        data = smtp.message(SENDER, ["a@example.test"])
        stamp = b"v=1; a=rsa-sha256; t=1700000000; x=1700000100; d=outside.test; s=r1; h=from; "
        data = b"DKIM-Signature: " + stamp + b"bh=" + b"A" * 43 + b"=; b=AAAA\r\n" + data
        reason = {at: verify(data, "--at", at)[0][1] for at in (1600000000, 1700000050, 1800000000)}
        assert reason == {1600000000: "permerror", 1700000050: "fail", 1800000000: "permerror"}

    def test_a_sender_behind_more_headers_than_are_kept(self, verify, dkim_key):
        data = signed(dkim_key, smtp.message(SENDER, ["a@example.test"]))
        [(method, result, _), dmarc] = verify(FILLER + data)
        assert (method, result) == ("dkim", "neutral")
        assert dmarc == ("dmarc", "fail", {"header.from": "outside.test", "policy.dmarc": "reject"})
        [_, dmarc] = verify(FILLER + b"From: a@bank.test\r\n" * 1001 + data)
        assert dmarc[:2] == ("dmarc", "permerror")

    def test_no_such_file(self, folder):
        ctl = sluice.Ctl(sluice.Config(folder, {}))
        assert ctl.run("verify", folder / "absent", check=False).returncode == 66


# As many as are kept.
FILLER = b"".join(b"X-%d: a\r\n" % number for number in range(10000))


def forged(authserv_id):
    return f"{authserv_id}; dkim=pass header.d=bank.test"


class TestMilter:
    """Postfix with the milter; the client poses as one from outside by XCLIENT."""

    CLIENT = {"ADDR": "203.0.113.7", "NAME": "mx.outside.test"}
    STRANGER = {"ADDR": "203.0.113.99", "NAME": "[UNAVAILABLE]"}

    @pytest.fixture
    def outside_site(self, site, dkim_key):
        def start(policy="reject", zones=None, **options):
            zones = {**outside_zones(dkim_key, policy), **(zones or {})}
            return site(parts=("sluice-milter",), zones=zones, **options)

        return start

    @pytest.fixture(scope="class")
    def shared(self, module_site, dkim_key):
        """The same as it comes, for tests that need nothing else, or reload it."""
        return module_site(parts=("sluice-milter",), zones=outside_zones(dkim_key))

    @staticmethod
    def send(place, data, client=None, sender=SENDER):
        client = client or TestMilter.CLIENT
        helo = client["NAME"].replace("[UNAVAILABLE]", "unavailable.invalid")
        with place.client(xclient=client, helo=helo) as connection:
            return connection.send(sender, ["alice@example.test"], data)

    @staticmethod
    def reload(place):
        place.milter.log.mark()
        place.milter.reload()
        place.milter.log.wait(event="reloaded")

    @staticmethod
    def line(place, outcome):
        return place.milter.log.wait(event="message", queue_id=outcome.queue_id)

    @staticmethod
    def fields(delivered):
        """All Authentication-Results, from the top."""
        return [
            " ".join(str(value).split())
            for value in delivered.message.get_all("Authentication-Results", [])
        ]

    @pytest.mark.parametrize("canon", ["simple", "relaxed"])
    @pytest.mark.parametrize("selector", ["r1", "e1"])
    def test_what_is_right_passes(self, shared, dkim_key, canon, selector):
        place = shared
        place.forget_mail()
        kind = canon.encode()
        long = "a long subject " * 20
        data = smtp.message(SENDER, ["alice@example.test"], subject=long, body=" a \t b \n\n\n")
        data = signed(dkim_key, data, selector, canonicalize=(kind, kind))
        outcome = self.send(place, data)
        assert outcome.accepted, outcome
        [delivered] = place.sink.wait_count(1)
        [value] = self.fields(delivered)
        authserv_id, found = results(value)
        assert authserv_id == "mx.example.test"
        assert [one[:2] for one in found] == [
            ("dkim", "pass"),
            ("spf", "pass"),
            ("spf", "pass"),
            ("iprev", "pass"),
            ("dmarc", "pass"),
        ]
        assert delivered.message.keys()[0] == "Authentication-Results"
        line = self.line(place, outcome)
        assert (line["dkim"], line["spf"], line["dmarc"]) == ("pass:outside.test", "pass", "pass")
        assert (line["dir"], line["verdict"]) == ("in", "accept")

    def test_what_is_wrong_is_only_told(self, shared, dkim_key):
        place = shared
        data = signed(dkim_key, smtp.message(SENDER, ["alice@example.test"], subject="before"))
        outcome = self.send(place, data.replace(b"before", b"after"), self.STRANGER)
        assert outcome.accepted, outcome
        [value] = self.fields(place.sink.wait_subject("after"))
        assert [one[1] for one in results(value)[1]] == [
            "fail",
            "fail",
            "none",
            "permerror",
            "fail",
        ]
        line = self.line(place, outcome)
        assert (line["dkim"], line["spf"]) == ("fail:outside.test", "fail")
        assert line["dmarc"] == "fail(reject)"
        assert "causes" not in line

    def test_forged_results_go(self, outside_site):
        place = outside_site(options={"authserv-id": "mail.example.test"})
        data = smtp.message(SENDER, ["alice@example.test"], subject="forged")
        names = ("mail.example.test", "MAIL.example.test 1", "(x) mail.example.test")
        ours = [forged(name) for name in names]
        others = [forged(name) for name in ("mail.example.test.evil.test", "mx.example.test")]
        for value in (others[0], ours[0], ours[1], others[1], ours[2], ours[0]):
            data = f"Authentication-Results: {value}\r\n".encode() + data
        data = f"Authentication-Results : {ours[0]}\r\n".encode() + data
        assert self.send(place, data).accepted
        delivered = place.sink.wait_subject("forged")
        assert delivered.data.count(b"bank.test") == len(others)
        found = self.fields(delivered)
        assert found[0].startswith("mail.example.test; dkim=none;")
        assert sorted(found[1:]) == sorted(others)

    def test_forged_results_go_behind_more_headers_than_are_kept(self, outside_site):
        place = outside_site(options={"authserv-id": "mail.example.test"})
        data = smtp.message(SENDER, ["alice@example.test"], subject="filled")
        claim = f"Authentication-Results: {forged('mail.example.test')}\r\n".encode()
        outcome = self.send(place, claim + FILLER + claim + data)
        assert outcome.accepted
        assert b"bank.test" not in place.sink.wait_subject("filled").data
        assert self.line(place, outcome)["dmarc"] == "pass"

    def test_several_messages_of_a_connection(self, shared, dkim_key):
        place = shared
        with place.client(xclient=self.CLIENT) as connection:
            for number in range(3):
                data = smtp.message(SENDER, ["alice@example.test"], subject=f"number {number}")
                outcome = connection.send(SENDER, ["alice@example.test"], signed(dkim_key, data))
                assert outcome.accepted, outcome
                connection.command("MAIL", f"FROM:<{SENDER}>")
                connection.command("RSET")
        for number in range(3):
            [value] = self.fields(place.sink.wait_subject(f"number {number}"))
            assert results(value)[1][0][1] == "pass"

    def test_our_own_users_are_not_judged(self, outside_site):
        place = outside_site(sections='verify "*" { dmarc-reject = reject spf-fail = reject }\n')
        outcome = place.send("alice", ["bob@example.net"], subject="own")
        assert outcome.accepted, outcome
        assert self.fields(place.sink.wait_subject("own")) == []
        assert self.line(place, outcome)["dmarc"] == "pass"

    def test_it_can_be_switched_off(self, outside_site):
        place = outside_site(options={"verify-incoming": "no"})
        data = smtp.message(SENDER, ["alice@example.test"], subject="off")
        outcome = self.send(place, data)
        assert self.fields(place.sink.wait_subject("off")) == []
        assert self.line(place, outcome)["dkim"] == "none:inbound"

    def test_received_spf(self, outside_site):
        place = outside_site(options={"received-spf": "yes"})
        self.send(place, smtp.message(SENDER, ["alice@example.test"], subject="spf"))
        delivered = place.sink.wait_subject("spf")
        value = " ".join(str(delivered.message["Received-SPF"]).split())
        assert value.startswith('pass client-ip="203.0.113.7"; envelope-from="joe@outside.test";')

    @pytest.mark.parametrize(
        "section, reply",
        [
            ('verify "*" { dmarc-reject = reject }', (550, "5.7.26", "dns.unaligned")),
            ("verify outside.test { dmarc-reject = defer }", (450, "4.7.26", "dns.unaligned")),
            ('verify "*" { spf-fail = reject }', (550, "5.7.23", "dns.spf-fail")),
            ('verify "*" { dkim-fail = reject }', (550, "5.7.20", "dns.dkim-mismatch")),
            (
                'verify "*" { dmarc-reject = reject }\nverify outside.test { dmarc-reject = log }',
                None,
            ),
            ("verify other.test { dmarc-reject = reject }", None),
            ('verify "*" { dmarc-quarantine = reject }', None),
        ],
    )
    def test_actions(self, shared, dkim_key, section, reply):
        place, sections = shared, shared.config.sections
        data = signed(dkim_key, smtp.message(SENDER, ["alice@example.test"], subject="before"))
        place.config.sections = f"{sections}{section}\n"
        self.reload(place)
        try:
            outcome = self.send(place, data.replace(b"before", b"after"), self.STRANGER)
        finally:
            place.config.sections = sections
            self.reload(place)
        if reply is None:
            assert outcome.accepted, outcome
            return
        code, enhanced, cause = reply
        assert outcome.data.code == code, outcome
        assert outcome.data.text.startswith(enhanced) and f"[{cause}]" in outcome.data.text

    def test_the_second_spf_engine_dies_and_freezes(self, outside_site):
        place = outside_site(
            options={"spf-engine": "libspf2", "received-spf": "yes"},
            sections='verify "*" { spf-fail = reject }\n',
        )
        numbers = itertools.count()

        def send(client):
            data = smtp.message(SENDER, ["alice@example.test"], subject=f"spf {next(numbers)}")
            return self.send(place, data, client).data.code

        def helpers():
            """The process ids of the helpers: none, or one."""
            return subprocess.run(
                ["pgrep", "-P", str(place.milter.pid), "-x", "sluice-libspf2"],
                capture_output=True,
                text=True,
                check=False,
            ).stdout.split()

        def interrupt(number):
            [pid] = helpers()
            os.kill(int(pid), number)
            return pid

        assert helpers() == []
        assert (send(self.CLIENT), send(self.STRANGER)) == (250, 550)
        for number in (signal.SIGSTOP, signal.SIGKILL):
            gone = interrupt(number)
            assert (send(self.CLIENT), send(self.STRANGER)) == (250, 550)
            wait.poll(
                lambda: send(self.CLIENT) == 250 and helpers() not in ([], [gone]),
                what="another one",
            )
        [down] = place.milter.log.events(event="spf-engine", state="down")
        assert down["problem"] == "no answer in time"
        assert len(place.milter.log.events(event="spf-engine", state="up")) <= 1
        assert place.milter.log.events(event="spf-engine", state="differs") == []

    def test_bounces_are_not_refused(self, outside_site):
        place = outside_site(sections='verify "*" { dmarc-reject = reject }\n')
        data = smtp.message(SENDER, ["alice@example.test"], subject="bounce")
        assert self.send(place, data, self.STRANGER, sender="").accepted

    def test_a_dead_resolver_is_no_judgement(self, outside_site, dkim_key):
        place = outside_site(
            options={"dns-timeout": "1s"},
            sections='verify "*" { dmarc-reject = reject  dmarc-temperror = defer }\n',
        )
        data = signed(dkim_key, smtp.message(SENDER, ["alice@example.test"], subject="slow"))
        place.dns.pause()
        try:
            outcome = self.send(place, data)
        finally:
            place.dns.resume()
        assert outcome.data.code == 450, outcome
        [line] = [one for one in place.milter.log.events(event="message") if "dmarc" in one]
        assert (line["dkim"], line["dmarc"]) == ("temperror:outside.test", "temperror")
        wait.poll(lambda: self.send(place, data).accepted, what="the answer of DNS")
        [value] = self.fields(place.sink.wait_subject("slow"))
        assert {one[1] for one in results(value)[1]} == {"pass"}


class TestSendmail:
    @pytest.mark.parametrize("canon", ["simple", "relaxed"])
    def test_what_is_right_passes_and_forged_results_go(self, site, dkim_key, canon):
        place = site(
            parts=("sluice-milter",),
            mta="sendmail",
            zones=outside_zones(dkim_key),
            options={"internal-networks": '{"192.0.2.0/24"}'},
        )
        kind = canon.encode()
        long = "a long subject " * 20
        data = smtp.message(SENDER, ["alice@example.test"], subject=long, body=" a \t b \n\n\n")
        data = signed(dkim_key, data, canonicalize=(kind, kind))
        for name in ("other.test", "mx.example.test", "mx.example.test", "other.test"):
            data = f"Authentication-Results: {forged(name)}\r\n".encode() + data
        with place.client() as client:
            assert client.send(SENDER, ["alice@example.test"], data).accepted
        [delivered] = place.sink.wait_count(1)
        assert delivered.data.count(b"bank.test") == 2
        value = " ".join(str(delivered.message["Authentication-Results"]).split())
        assert results(value)[1][0][:2] == ("dkim", "pass")
