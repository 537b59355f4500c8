# SPDX-License-Identifier: BSD-2-Clause
"""Mail from outside, signed by dkimpy and judged by us; python3-authres reads what we say."""

import base64

import authres
import dkim
import pytest
from nacl.signing import SigningKey

from support import nameserver, sluice, smtp

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
    """The results of a field's value: [(method, result, {property: value})]."""
    header = authres.AuthenticationResultsHeader.parse(f"Authentication-Results: {value}")
    return header.authserv_id, [
        (
            one.method,
            one.result,
            {f"{entry.type}.{entry.name}": entry.value for entry in one.properties},
        )
        for one in header.results
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

    def test_no_such_file(self, folder):
        ctl = sluice.Ctl(sluice.Config(folder, {}))
        assert ctl.run("verify", folder / "absent", check=False).returncode == 66
