# SPDX-License-Identifier: BSD-2-Clause
"""ARC chains made by dkimpy and by Mail::DKIM, judged by us (RFC 8617)."""

import re
import subprocess

import authres
import dkim
import pytest

from support import nameserver, sluice, smtp, workdir

SENDER = "joe@outside.test"
RECEIVER = "alice@example.test"
STRANGER = {"ADDR": "203.0.113.99", "NAME": "[UNAVAILABLE]"}

MAIL_DKIM = r"""
use strict;
use Mail::DKIM::ARC::Signer;
my ($domain, $chain, $key) = @ARGV;
my $signer = Mail::DKIM::ARC::Signer->new(Algorithm => "rsa-sha256", Chain => $chain,
    Domain => $domain, SrvId => $domain, Selector => "a1", KeyFile => $key);
$signer->PRINT(do { local $/; <STDIN> });
$signer->CLOSE;
die $signer->result_detail unless $signer->result eq "sealed";
print map { "$_\015\012" } $signer->as_strings;
"""


def zones(dkim_key):
    key = f"a1._domainkey IN TXT {nameserver.rdata_text(dkim_key.record)}\n"
    return {
        "outside.test": '@ IN MX 10 mx\nmx IN A 203.0.113.7\n@ IN TXT "v=spf1 -all"\n_dmarc IN TXT "v=DMARC1; p=reject"\n',
        "lists.test": key,
        "fwd.test": key,
        "third.test": key,
        "nokey.test": '@ IN TXT "x"\n',
        "broken.test": None,
    }


def results_of(domain, arc):
    """What the forwarder found, which the seal takes over."""
    return f"Authentication-Results: {domain}; arc={arc}; dmarc=pass header.from=outside.test\r\n"


def by_dkimpy(key, data, domain, arc):
    data = results_of(domain, arc).encode() + data
    sealed = dkim.arc_sign(data, b"a1", domain.encode(), key.private.read_bytes(), domain.encode())
    assert len(sealed) == 3
    return b"".join(sealed) + data


def by_mail_dkim(key, data, domain, arc):
    data = results_of(domain, arc).encode() + data
    words = ["perl", "-e", MAIL_DKIM, domain, arc, key.private]
    done = subprocess.run([str(word) for word in words], input=data, capture_output=True, check=True)
    return re.sub(rb"\r?\n", b"\r\n", done.stdout) + data


SEALERS = {"dkimpy": by_dkimpy, "Mail::DKIM": by_mail_dkim}


def message(subject="sealed"):
    return smtp.message(SENDER, [RECEIVER], subject=subject, body="Hello  list.\n\n\n")


def chain(key, *domains, maker=by_dkimpy, data=None):
    """A message that these forwarders sealed in turn."""
    data = data or message()
    for number, domain in enumerate(domains):
        data = maker(key, data, domain, "pass" if number else "none")
    return data


def without(data, field):
    """The message without the first field that the pattern matches at its beginning."""
    return re.sub(rb"(?im)^(?:" + field + rb")[^\n]*\n(?:[ \t][^\n]*\n)*", b"", data, count=1)


def arc_result(value):
    header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    [one] = [one for one in header.results if one.method == "arc"]
    return one.result, one.reason


class TestCommand:
    @pytest.fixture(scope="class")
    def verify(self, dkim_key, tmp_path_factory):
        folder = workdir.create("arc")
        server = nameserver.NameServer(folder, zones(dkim_key)).start()
        ctl = sluice.Ctl(sluice.Config(folder, {"hostname": "mx.example.test"}))

        def run(data):
            path = folder / "message"
            path.write_bytes(data)
            return ctl.run("verify", "-o", f"resolver={server.resolver}", path).stdout.strip()

        yield run
        server.stop()
        workdir.remove(folder)

    def test_without_arc(self, verify):
        assert arc_result(verify(message())) == ("none", None)

    @pytest.mark.parametrize("maker", SEALERS.values(), ids=SEALERS)
    def test_chains_of_others(self, verify, dkim_key, maker):
        for domains in (["lists.test"], ["lists.test", "fwd.test"], ["lists.test", "fwd.test", "third.test"]):
            said = verify(chain(dkim_key, *domains, maker=maker))
            assert arc_result(said) == ("pass", None), said
            assert f"(i={len(domains)}, sealed by {domains[-1]})" in said

    def test_one_continues_the_other(self, verify, dkim_key):
        data = by_mail_dkim(dkim_key, chain(dkim_key, "lists.test"), "fwd.test", "pass")
        assert arc_result(verify(data))[0] == "pass"
        data = by_dkimpy(dkim_key, chain(dkim_key, "fwd.test", maker=by_mail_dkim), "lists.test", "pass")
        assert arc_result(verify(data))[0] == "pass"

    @pytest.mark.parametrize(
        "change, reason",
        [
            (lambda data: data + b"more\r\n", "message signature 2: the body has changed"),
            (lambda data: data.replace(b"sealed", b"broken"), "message signature 2: the signature"),
            (lambda data: data.replace(b"cv=none", b"cv=pass"), "found the chain broken"),
            (lambda data: data.replace(b"cv=pass", b"cv=fail"), "found the chain broken"),
            (lambda data: data.replace(b"dmarc=pass", b"dmarc=fail", 1), "seal 2: the signature"),
            (lambda data: without(data, b"ARC-Seal: i=2"), "a set is not complete"),
            (lambda data: without(data, b"ARC-Seal: i=1"), "a set is not complete"),
            (lambda data: without(data, b"ARC-Message-Signature: i=1"), "a set is not complete"),
            (lambda data: without(data, b"ARC-Authentication-Results: i=2"), "a set is not complete"),
            (lambda data: b"ARC-Seal: i=51; cv=pass\r\n" + data, "a field has no instance"),
            (lambda data: b"ARC-Seal: cv=pass\r\n" + data, "a field has no instance"),
            (lambda data: b"ARC-Authentication-Results: i=1; x\r\n" + data, "is there twice"),
            (lambda data: data.replace(b"cv=pass", b"cv=pass; h=from"), "covers no headers"),
        ],
        ids=range(13),
    )
    def test_what_is_wrong(self, verify, dkim_key, change, reason):
        data = chain(dkim_key, "lists.test", "fwd.test")
        changed = change(data)
        assert changed != data
        result, why = arc_result(verify(changed))
        assert result == "fail" and reason in why, why

    def test_changes_before_the_last_seal_are_fine(self, verify, dkim_key):
        """That is what mailing lists do; the seals themselves must stay."""
        data = chain(dkim_key, "lists.test").replace(b"Subject: sealed", b"Subject: [list] sealed")
        assert arc_result(verify(data))[0] == "fail"
        assert arc_result(verify(by_dkimpy(dkim_key, data, "fwd.test", "pass"))) == ("pass", None)

    def test_keys(self, verify, dkim_key):
        assert arc_result(verify(chain(dkim_key, "nokey.test")))[1].endswith("no key is published")
        assert "DNS: " in arc_result(verify(chain(dkim_key, "broken.test")))[1]


class TestMilter:
    """Mail that fails DMARC, by way of a forwarder."""

    @pytest.fixture(scope="class")
    def place(self, module_site, dkim_key):
        return module_site(
            parts=("sluice-milter",),
            zones=zones(dkim_key),
            options={"trusted-arc": '{"lists.test", "broken.test"}'},
            sections='verify "*" { dmarc-reject = reject }\n',
        )

    @staticmethod
    def send(place, data):
        with place.client(xclient=STRANGER, helo="forwarder.test") as connection:
            return connection.send(SENDER, [RECEIVER], data)

    def test_a_trusted_chain_is_believed(self, place, dkim_key):
        data = chain(dkim_key, "fwd.test", "lists.test", data=message("trusted"))
        outcome = self.send(place, data)
        assert outcome.accepted, outcome
        cause = place.milter.log.wait(cause="dns.unaligned", queue_id=outcome.queue_id)
        assert cause["action"] == "log" and cause["arc"] == "pass:lists.test"
        delivered = place.sink.wait_subject("trusted")
        value = " ".join(str(delivered.message["Authentication-Results"]).split())
        assert arc_result(value) == ("pass", None)
        assert "smtp.remote-ip=203.0.113.99" in value

    def test_one_that_cannot_be_verified_is_noted(self, place, dkim_key):
        outcome = self.send(place, chain(dkim_key, "broken.test"))
        assert outcome.accepted, outcome
        cause = place.milter.log.wait(cause="dns.unaligned", queue_id=outcome.queue_id)
        assert cause["arc"] == "not-verified:broken.test"

    @pytest.mark.parametrize(
        "make",
        [
            lambda key: chain(key, "fwd.test"),
            lambda key: chain(key, "lists.test", "fwd.test"),
            lambda key: chain(key, "lists.test") + b"added later\r\n",
            lambda key: chain(key, "lists.test").replace(b"dmarc=pass", b"dmarc=none", 1),
            lambda key: b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=lists.test; s=a1; b=AAAA\r\n" + message(),
            lambda key: message(),
        ],
        ids=["stranger", "stranger last", "changed body", "changed results", "forged", "none"],
    )
    def test_others_are_not(self, place, dkim_key, make):
        outcome = self.send(place, make(dkim_key))
        assert outcome.data.code == 550 and "[dns.unaligned]" in outcome.data.text, outcome
