# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl try: the whole decision without sending, and without counting."""

import json

import pytest

from support import site as site_module
from support import smtp

BOB = f"bob@{site_module.DOMAIN}"


@pytest.fixture(scope="module")
def place(module_site):
    return module_site(options={"sender-login": '{"equal"}'})


@pytest.fixture
def mail(folder):
    path = folder / "mail.eml"
    path.write_bytes(smtp.message(BOB, ["carol@example.net"]))
    return path


def used(place):
    table = json.loads(place.ctl.run("limits", "--json", f"user:{BOB}").stdout)
    return {row["limit"]: row.get("used") for row in table["limits"]}


def attempt(place, *words):
    done = place.ctl.run("try", "--user", BOB, "--client", "203.0.113.7", *words, check=False)
    return done.returncode, done.stdout


def test_a_message_that_passes(place, mail):
    assert place.send("bob", ["carol@example.net"]).accepted
    before = used(place)
    words = ("--from", BOB, "--rcpt", "carol@example.net", "--message", mail, "--port", "587")
    status, output = attempt(place, *words)
    assert status == 0, output
    assert "sluice-policyd\n" in output and "sluice-milter\n" in output
    assert output.count("verdict  ") == 2
    assert "header   DKIM-Signature: v=1; a=rsa-sha256;" in output
    assert f"limit daily of user:{BOB}: {before['daily']} of 2000 used, this adds 1" in output
    assert "lookup   example.net MX: found" in output
    assert used(place) == before


@pytest.mark.parametrize("program", [("--as-policy", "rcpt"), ("--as-milter",)])
def test_what_the_daemons_refuse(place, mail, program):
    """The reply is the one that a client gets."""
    recipient = "carol@no-such.invalid"
    real = str(place.send("bob", [recipient]).refusal)
    words = ("--from", BOB, "--rcpt", recipient, "--message", mail, *program)
    status, output = attempt(place, *words)
    assert status == 1
    [reply] = [line for line in output.splitlines() if line.startswith("  reply ")]
    assert reply.split(maxsplit=3)[3] in real
    assert "found    dns.recipient-domain  action=reject" in output
    assert "hint: no-such.invalid has no DNS records" in output
    assert ("sluice-milter" in output) == (program[0] == "--as-milter")


def test_how_the_client_connects(place):
    words = ("--from", BOB, "--rcpt", "carol@example.net", "--as-policy", "end-of-message")
    status, output = attempt(place, *words, "--port", "25", "--tls", "TLSv1.1", "--helo", "a_b")
    assert status == 0
    for cause in ("config.port", "config.weak-tls", "config.helo"):
        assert f"found    {cause}  action=log" in output
    status, output = attempt(place, *words, "--tls", "none")
    assert status == 1 and "reply    530 5.7.0" in output and "[config.plaintext]" in output


def test_what_enforcing_would_say(place):
    words = ("try", "--user", BOB, "--client", "203.0.113.7", "--from", BOB, "--as-policy",
             "end-of-message", "--rcpt", "carol@example.net", "--tls", "none")  # fmt: skip
    output = place.ctl.run("-o", "mode=observe", *words).stdout
    assert "verdict  accept (enforcing: reject)" in output
    assert "enforced 530 5.7.0 " in output and "[config.plaintext]" in output


def test_mail_from_outside(place, folder):
    path = folder / "outside.eml"
    path.write_bytes(smtp.message("someone@example.net", [BOB]))
    done = place.ctl.run(
        "try", "--client", "203.0.113.7", "--helo", "mx.example.net", "--from",
        "someone@example.net", "--rcpt", BOB, "--as-milter", "--message", path,
    )  # fmt: skip
    assert "from outside (in)" in done.stdout
    assert f"header   Authentication-Results: {site_module.HOSTNAME}; " in done.stdout


def test_usage(place):
    done = place.ctl.run("try", "--from", BOB, check=False)
    assert done.returncode == 64 and "--rcpt ADDRESS" in done.stderr
    done = place.ctl.run("try", "--rcpt", BOB, "--as-milter", check=False)
    assert done.returncode == 64 and "--message FILE" in done.stderr
    done = place.ctl.run("try", "--rcpt", BOB, "--client", "nonsense", check=False)
    assert done.returncode == 64 and "expected an IP address" in done.stderr
