# SPDX-License-Identifier: BSD-2-Clause
"""Signatures of dkimpy, Mail::DKIM and OpenDKIM, through a real Postfix, judged by us."""

import re
import subprocess

import authres
import dkim
import pytest

from support import nameserver, ports, process, smtp

SENDER = "joe@outside.test"
CLIENT = {"ADDR": "203.0.113.7", "NAME": "mx.outside.test"}
BODY = "  leading \t and  inner blanks \n\nlines that end with one: \n.dot\n\n\n"

MAIL_DKIM = r"""
use strict;
use Mail::DKIM::Signer;
my ($canon, $key) = @ARGV;
my $signer = Mail::DKIM::Signer->new(Algorithm => "rsa-sha256", Method => $canon,
    Domain => "outside.test", Selector => "r1", KeyFile => $key);
$signer->PRINT(do { local $/; <STDIN> });
$signer->CLOSE;
print $signer->signature->as_string, "\015\012";
"""


def by_dkimpy(key, data, canon):
    forms = tuple(word.encode() for word in canon.split("/"))
    private = key.private.read_bytes()
    return dkim.sign(data, b"r1", b"outside.test", private, canonicalize=forms) + data


def output_of(words, data):
    words = [str(word) for word in words]
    printed = subprocess.run(words, input=data, capture_output=True, check=True).stdout
    return re.sub(rb"\r?\n", b"\r\n", printed)


def by_mail_dkim(key, data, canon):
    return output_of(["perl", "-e", MAIL_DKIM, canon, key.private], data) + data


SIGNERS = {"dkimpy": by_dkimpy, "Mail::DKIM": by_mail_dkim}


@pytest.fixture(scope="module")
def place(module_site, dkim_key):
    records = (
        "@ IN MX 10 mx\nmx IN A 203.0.113.7\n"
        '@ IN TXT "v=spf1 ip4:203.0.113.7 -all"\n'
        f"r1._domainkey IN TXT {nameserver.rdata_text(dkim_key.record)}\n"
    )
    return module_site(parts=("sluice-milter",), zones={"outside.test": records})


def dkim_result(place, data, subject):
    with place.client(xclient=CLIENT, helo="mx.outside.test") as client:
        outcome = client.send(SENDER, ["alice@example.test"], data)
    assert outcome.accepted, outcome
    delivered = place.sink.wait_subject(subject)
    value = " ".join(str(delivered.message["Authentication-Results"]).split())
    header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    [result] = [one.result for one in header.results if one.method == "dkim"]
    return result


FORMS = ["relaxed/relaxed", "simple/simple", "relaxed/simple"]
CASES = [(name, canon) for name in ("dkimpy", "Mail::DKIM") for canon in FORMS]


@pytest.mark.parametrize("name, canon", CASES)
def test_their_signatures(place, dkim_key, name, canon):
    subject = f"{name}  with {canon}"
    data = smtp.message(SENDER, ["alice@example.test"], subject=subject, body=BODY)
    data = SIGNERS[name](dkim_key, data, canon)
    assert b"a=rsa-sha256" in data and f"c={canon}".encode() in data, data
    assert dkim_result(place, data, subject) == "pass"
    changed = data.replace(b"inner blanks", b"other blanks").replace(b"  with ", b"  less ")
    assert dkim_result(place, changed, subject.replace("with", "less")) == "fail"


OPENDKIM = """\
Syslog no
Mode s
Canonicalization {canon}
InternalHosts 127.0.0.1
Domain outside.test
Selector r1
KeyFile {key}
SignatureAlgorithm rsa-sha256
RequireSafeKeys no
Background no
UMask 000
"""


@pytest.mark.parametrize("canon", ["relaxed/simple"])
def test_a_postfix_with_opendkim(place, folder, run, make_postfix, sink_server, dkim_key, canon):
    """It signs as the milter of another site, whose mail we get."""
    config, socket = folder / "opendkim.conf", folder / "opendkim.sock"
    config.write_text(OPENDKIM.format(canon=canon, key=dkim_key.private))
    command = ["opendkim", "-f", "-x", config, "-p", f"local:{socket}"]
    milter = process.Process("opendkim", command, folder)
    milter.start().wait_ready(lambda: ports.listens(socket))
    try:
        sender = make_postfix(settings={"smtpd_milters": f"unix:{socket}"})
        subject = f"opendkim  with {canon}"
        fields = {"subject": subject, "body": BODY}
        assert smtp.send(sender.smtp_port, SENDER, ["alice@example.test"], **fields).accepted
        data = sink_server.wait_subject(subject).data
    finally:
        milter.stop()
    assert f"c={canon}".encode() in data
    assert dkim_result(place, data, subject) == "pass"
    changed = data.replace(b"inner blanks", b"other blanks").replace(b"  with ", b"  less ")
    assert dkim_result(place, changed, subject.replace("with", "less")) == "fail"
