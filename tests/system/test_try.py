# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl try: the whole decision without sending, and without counting."""

import json
import time

import pytest

from support import site as site_module
from support import smtp, wait

DOMAIN = site_module.DOMAIN
BOB = f"bob@{DOMAIN}"


@pytest.fixture(scope="module")
def place(module_site):
    return module_site(
        options={"sender-login": '{"equal"}'}, sections='verify "*" { dmarc-reject = reject }\n'
    )


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


OUTSIDE = ("try", "--client", "203.0.113.7", "--helo", "mx.example.net", "--as-milter")


def test_mail_from_outside(place, folder):
    """What is added, what is taken out as forged, and what DMARC says, as the milter would."""
    path = folder / "outside.eml"
    forged = f"Authentication-Results: {site_module.HOSTNAME}; spf=pass\r\n".encode()
    path.write_bytes(forged + smtp.message("someone@example.net", [BOB]))
    words = ("--from", "someone@example.net", "--rcpt", BOB, "--message", path)
    done = place.ctl.run("-o", "received-spf=yes", *OUTSIDE, *words)
    assert "from outside (in)" in done.stdout
    assert f"header   Authentication-Results: {site_module.HOSTNAME}; " in done.stdout
    assert "header   Received-SPF: none " in done.stdout
    assert f"removed  Authentication-Results: {site_module.HOSTNAME}; spf=pass" in done.stdout

    path.write_bytes(smtp.message(f"alice@{DOMAIN}", [BOB]))
    done = place.ctl.run(*OUTSIDE, *words, check=False)
    assert done.returncode == 1 and "found    dns.unaligned  action=reject" in done.stdout
    assert "[dns.unaligned]" in done.stdout and "header " not in done.stdout


def test_json(place, mail):
    words = ("--from", BOB, "--rcpt", "carol@example.net", "--message", mail, "--port", "25")
    status, output = attempt(place, *words, "--json")
    found = json.loads(output)
    assert (status, found["passes"]) == (0, True)
    policy, milter = found["programs"]
    assert (policy["program"], milter["program"]) == ("sluice-policyd", "sluice-milter")
    for each in (policy, milter):
        assert (each["verdict"], each["direction"]) == ("accept", "out")
        assert {"limit": "daily", "subject": f"user:{BOB}", "adds": 1}.items() <= {
            **each["limits"][0]
        }.items()
        assert {"name": "example.net", "type": "MX"}.items() <= each["lookups"][0].items() or any(
            row["name"] == "example.net" and row["answer"] == "found" for row in each["lookups"]
        )
        assert each["store"] == "looked at, nothing charged"
    [port] = [each for each in policy["findings"] if each["cause"] == "config.port"]
    assert port["action"] == "log" and "587" in port["hint"] and port["facts"]
    assert [each["name"] for each in milter["headers"]] == ["DKIM-Signature"]

    status, output = attempt(place, *words, "--json", "--tls", "none", "--as-policy", "rcpt")
    found = json.loads(output)
    [program] = found["programs"]
    assert (status, found["passes"], program["verdict"]) == (1, False, "reject")
    assert program["rcpt"] == "carol@example.net"
    assert program["reply"].startswith("530 5.7.0 ") and "headers" not in program


def contents(client, key):
    """What a key holds, in an order that does not matter."""
    kind = client.call("TYPE", key)
    if kind == "hash":
        return sorted(client.hash(key).items())
    return client.call("GET", key) if kind == "string" else client.call("DUMP", key)


def test_nothing_is_changed(place, mail):
    """Not one key of the store, whatever is found: also of an account that ought to be held."""
    words = ("--from", BOB, "--message", mail, "--rcpt", "carol@example.net", "--rcpt", "x@new.test")

    def everything():
        with place.redis.client() as client:
            # Which is there for a moment when a slow Redis is asked whether it takes writes again.
            keys = set(client.call("KEYS", "sluice:*")) - {"sluice:{probe}"}
            return {key: contents(client, key) for key in keys}

    def is_quiet():
        """What the daemons keep of the message itself is there."""
        now = everything()
        if now != seen["keys"]:
            seen.update(since=time.monotonic(), keys=now)
        return now and time.monotonic() > seen["since"] + 0.5

    assert place.send("bob", ["carol@example.net"]).accepted
    seen = {"since": time.monotonic(), "keys": None}
    wait.poll(is_quiet, what="the store at rest")
    before = seen["keys"]
    for number in range(5):
        words_now = ("--client", f"198.51.{number}.7", "--helo", f"h{number}.example.org", *words)
        attempt(place, *words_now)
        for stage in ("mail", "rcpt", "data", "end-of-message"):
            attempt(place, *words_now, "--as-policy", stage)
    assert everything() == before


def test_usage(place):
    done = place.ctl.run("try", "--from", BOB, check=False)
    assert done.returncode == 64 and "--rcpt ADDRESS" in done.stderr
    done = place.ctl.run("try", "--rcpt", BOB, "--as-milter", check=False)
    assert done.returncode == 64 and "--message FILE" in done.stderr
    done = place.ctl.run("try", "--rcpt", BOB, "--client", "nonsense", check=False)
    assert done.returncode == 64 and "expected an IP address" in done.stderr
