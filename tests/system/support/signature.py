# SPDX-License-Identifier: BSD-2-Clause
"""Judging DKIM signatures by verifiers that are not ours: dkimpy, opendkim-testmsg, Mail::DKIM."""

import os
import pathlib
import subprocess
import tempfile

import dkim

PRELOAD_SOURCE = pathlib.Path(__file__).with_name("signature_preload.c")


MAIL_DKIM = r"""
use strict;
use Mail::DKIM::Verifier;
use Net::DNS;
Mail::DKIM::DNS::resolver(
    Net::DNS::Resolver->new(nameservers => ["127.0.0.1"], port => $ARGV[0], recurse => 0));
my $verifier = Mail::DKIM::Verifier->new;
$verifier->PRINT(do { local $/; <STDIN> });
$verifier->CLOSE;
print $_->selector, " ", $_->result_detail, "\n" for $verifier->signatures;
"""


def _dkimpy(data, dns):
    """Every signature must verify."""
    judge = dkim.DKIM(data)
    count = sum(name.lower() == b"dkim-signature" for name, _ in judge.headers)
    try:
        for index in range(count):
            if not judge.verify(idx=index, dnsfunc=lambda name, timeout=5: dns.txt(name)):
                return f"signature {index} does not verify"
    except dkim.DKIMException as problem:
        return str(problem)
    return None


def _mail_dkim(data, dns):
    """Every signature must verify; that of Debian 12 does not know Ed25519 yet, and says so."""
    done = subprocess.run(
        ["perl", "-e", MAIL_DKIM, str(dns.port)], input=data, capture_output=True, check=False
    )
    lines = done.stdout.decode(errors="replace").splitlines()
    fine = ("pass", "invalid (unsupported algorithm ed25519-sha256)")
    bad = [line for line in lines if line.partition(" ")[2] not in fine]
    if bad or not any(line.endswith(" pass") or "ed25519" in line for line in lines):
        return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    return None


def _opendkim(data, dns):
    with tempfile.TemporaryDirectory(prefix="sluice-verify-") as folder:
        library = pathlib.Path(folder) / "preload.so"
        compile_it = ["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, PRELOAD_SOURCE]
        subprocess.run([str(word) for word in compile_it], check=True)
        env = {**os.environ, "LD_PRELOAD": str(library), "SITE_DNS_PORT": str(dns.port)}
        done = subprocess.run(
            ["opendkim-testmsg", "-t", folder],
            input=data,
            capture_output=True,
            check=False,
            env=env,
        )
    printed = (done.stdout + done.stderr).decode(errors="replace").strip()
    return None if done.returncode == 0 and not printed else printed or f"exit {done.returncode}"


def check(delivered, dns):
    """Fail unless all verifiers accept the signatures of a message as it was delivered."""
    assert b"dkim-signature:" in delivered.data.lower(), f"not signed:\n{delivered.data!r}"
    judges = {"dkimpy": _dkimpy, "opendkim-testmsg": _opendkim, "Mail::DKIM": _mail_dkim}
    for name, verify in judges.items():
        problem = verify(delivered.data, dns)
        assert problem is None, f"{name}: {problem}\n{delivered.data.decode(errors='replace')}"


def _tags(field):
    pairs = (part.partition("=") for part in str(field).split(";"))
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def tags(delivered):
    """The first signature's tags as a dict, without white space; None without a signature."""
    return next(iter(all_tags(delivered)), None)


def all_tags(delivered):
    """The tags of each signature, from the top."""
    return [_tags(field) for field in delivered.message.get_all("DKIM-Signature", [])]
