# SPDX-License-Identifier: BSD-2-Clause
"""Signing for many domains and with many keys, through a real Postfix, judged by verifiers that are
not ours.
"""

import subprocess

import pytest

from support import credentials, nameserver, signature, sluice
from support import site as site_module

MILTER_ONLY = ("sluice-milter",)
DOMAIN = site_module.DOMAIN


def key_record(selector, key, ttl=1):
    """A zone's line for a key."""
    return f"{selector}._domainkey {ttl} IN TXT {nameserver.rdata_text(key.record)}\n"


@pytest.fixture
def signing_site(site):
    """A site whose Postfix asks the milter alone."""
    return lambda **options: site(parts=MILTER_ONLY, **options)


@pytest.fixture(scope="module")
def ed25519_key(tmp_path_factory):
    return credentials.DkimKey(tmp_path_factory.mktemp("keys"), "ed25519", "ed25519")


def message_line(place, outcome):
    return place.milter.log.wait(event="message", queue_id=outcome.queue_id)


def test_an_rsa_and_an_ed25519_key_sign_side_by_side(signing_site, dkim_key, ed25519_key):
    place = signing_site(
        sections=f'sign {DOMAIN} {{ selector = e1  key = "{ed25519_key.private}" }}\n',
        zones={DOMAIN: site_module.own_zone(dkim_key.record) + key_record("e1", ed25519_key)},
    )
    outcome = place.send("alice", ["bob@example.net"], subject="signed twice")
    assert outcome.accepted, outcome
    delivered = place.sink.wait_subject("signed twice")
    signature.check(delivered, place.dns)
    tags = signature.all_tags(delivered)
    assert [(one["a"], one["s"]) for one in tags] == [
        ("rsa-sha256", "s1"),
        ("ed25519-sha256", "e1"),
    ]
    assert message_line(place, outcome)["dkim"] == f"signed:s1/{DOMAIN},e1/{DOMAIN}"
    # and not a third time when it comes back
    place.sink.clear()
    with place.client() as client:
        outcome = client.send(f"alice@{DOMAIN}", ["bob@example.net"], delivered.data)
    assert outcome.accepted, outcome
    [again] = place.sink.wait_count(1)
    assert len(again.message.get_all("DKIM-Signature")) == 2
    assert message_line(place, outcome)["dkim"] == "none:already-signed"
    # but where a filter, or somebody who made them up, has left none that passes
    place.sink.clear()
    with place.client() as client:
        changed = delivered.data.replace(b"Hello.", b"Hello, virus-free.")
        outcome = client.send(f"alice@{DOMAIN}", ["bob@example.net"], changed)
    assert outcome.accepted, outcome
    [renewed] = place.sink.wait_count(1)
    line = message_line(place, outcome)
    assert (line["dkim"], line["dkim-check"]) == (f"signed:s1/{DOMAIN},e1/{DOMAIN}", "pass")
    assert len(renewed.message.get_all("DKIM-Signature")) == 4


@pytest.fixture
def anybody(folder):
    """Options by which alice may use every address."""
    path = folder / "senders"
    path.write_text("/./ alice@example.test\n")
    return {"sender-login": f'{{"equal", "regexp:{path}"}}'}


def dkim_of(place, sender):
    """What the log says of a message with this From; whatever is signed must verify."""
    outcome = place.send("alice", ["bob@example.net"], From=sender, subject=sender)
    assert outcome.accepted, outcome
    delivered = place.sink.wait_subject(sender)
    line = message_line(place, outcome)["dkim"]
    if line.startswith("signed:"):
        signature.check(delivered, place.dns)
    return line


def test_a_folder_of_keys(signing_site, anybody, folder, dkim_key, ed25519_key):
    for name, key in (("one.test/r1", dkim_key), ("one.test/e1", ed25519_key)):
        path = folder / "keys" / f"{name}.pem"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(key.private.read_bytes())
        path.chmod(0o600)
    zone = key_record("r1", dkim_key) + key_record("e1", ed25519_key)
    place = signing_site(
        options={**anybody, "sign-keys": f'"{folder}/keys"'}, zones={"one.test": zone}
    )
    assert dkim_of(place, "a@one.test") == "signed:e1/one.test,r1/one.test"
    assert dkim_of(place, f"a@{DOMAIN}") == f"signed:s1/{DOMAIN}"
    assert dkim_of(place, "a@sub.one.test") == "none:no-key"


def test_opendkims_tables(signing_site, anybody, folder, dkim_key):
    (folder / "KeyTable").write_text(
        f"# OpenDKIM\ncustomers one.test:c1:{dkim_key.private}\neach %:m1:./mail.pem\n"
        f"\n\tthree.test\tthree.test:t1:{dkim_key.private}  # by its name\n"
    )
    (folder / "mail.pem").write_bytes(dkim_key.private.read_bytes())
    (folder / "mail.pem").chmod(0o600)
    (folder / "SigningTable").write_text(
        "*@one.test customers:list@%\nnews@two.test customers\n*@two.test each\n"
        "*@three.test %\n*@*.Two.test each # below\n"
    )
    place = signing_site(
        options={
            **anybody,
            "sign-key-table": f'"{folder}/KeyTable"',
            "sign-signing-table": f'"refile:{folder}/SigningTable"',
        },
        zones={
            "one.test": key_record("c1", dkim_key),
            "two.test": key_record("m1", dkim_key),
            "sub.two.test": key_record("m1", dkim_key),
            "three.test": key_record("t1", dkim_key),
        },
    )
    assert dkim_of(place, "a@one.test") == "signed:c1/one.test"
    [signature_of_one] = signature.all_tags(place.sink.wait_subject("a@one.test"))
    assert signature_of_one["i"] == "list@one.test"
    assert dkim_of(place, "news@two.test") == "signed:c1/one.test"
    assert dkim_of(place, "b@two.test") == "signed:m1/two.test"
    assert dkim_of(place, "b@sub.two.test") == "signed:m1/sub.two.test"
    assert dkim_of(place, "b@three.test") == "signed:t1/three.test"
    assert dkim_of(place, "b@four.test") == "none:no-key"
    # and as opendkim.conf may list them itself, with the key
    place.milter.log.mark()
    inline = "".join(dkim_key.private.read_text().split("\n")[1:-2])
    place.config.options["sign-key-table"] = f'"csl:two=two.test:m1:{inline}"'
    place.config.options["sign-signing-table"] = '"csl:.two.test=two"'
    place.milter.reload()
    place.milter.log.wait(event="reloaded")
    assert dkim_of(place, "c@sub.two.test") == "signed:m1/two.test"
    assert dkim_of(place, "c@two.test") == "none:no-key"
    # a wrong line is told with its number, and changes nothing
    (folder / "KeyTable").write_text("\none one.test:c1\n")
    place.config.options["sign-key-table"] = f'"file:{folder}/KeyTable"'
    place.milter.reload()
    failed = place.milter.log.wait(event="reload-failed")
    assert f"{folder}/KeyTable: line 2: expected the path" in str(failed)
    assert dkim_of(place, "d@sub.two.test") == "signed:m1/two.test"


def test_subdomains_and_third_parties(signing_site, anybody, dkim_key):
    section = f'{{ selector = w1  key = "{dkim_key.private}"  for = {{"one.test"}} }}'
    place = signing_site(
        options=anybody,
        sections=f'sign "*.{DOMAIN}" {section}\n',
        zones={DOMAIN: site_module.own_zone(dkim_key.record) + key_record("w1", dkim_key)},
    )
    assert dkim_of(place, f"a@news.{DOMAIN}") == f"signed:w1/{DOMAIN}"
    assert dkim_of(place, "a@one.test") == f"signed:w1/{DOMAIN}"
    assert dkim_of(place, "a@two.test") == "none:no-key"
    # for those alone who may use the address
    outcome = place.send("bob", ["bob@example.net"], From="a@one.test", subject="not bob's")
    assert outcome.data.code == 553, outcome


@pytest.mark.parametrize("canon", ["relaxed/simple", "simple/relaxed", "simple/simple"])
def test_other_canonical_forms(signing_site, dkim_key, ed25519_key, canon):
    place = signing_site(
        options={"sign-canonicalization": canon, "sign-expire": "7d"},
        sections=f'sign {DOMAIN} {{ selector = e1  key = "{ed25519_key.private}" }}\n',
        zones={DOMAIN: site_module.own_zone(dkim_key.record) + key_record("e1", ed25519_key)},
    )
    body = "Hello  there. \n\n  again\n\n\n"
    subject = "a  subject that is folded " * 8
    outcome = place.send("alice", ["bob@example.net"], subject=subject, body=body)
    assert outcome.accepted, outcome
    [delivered] = place.sink.wait_count(1)
    signature.check(delivered, place.dns)
    for tags in signature.all_tags(delivered):
        assert tags["c"] == canon
        assert int(tags["x"]) - int(tags["t"]) == 7 * 86400


@pytest.mark.parametrize("algorithm", ["rsa2048", "ed25519"])
def test_a_key_of_keygen(signing_site, anybody, folder, algorithm):
    words = ["keygen", "--selector", "k1", "--algorithm", algorithm, "--directory", f"{folder}/keys"]
    made = subprocess.run(
        [sluice.program("sluicectl"), *words, "One.test"], capture_output=True, text=True, check=True
    )
    path = folder / "keys" / "one.test" / "k1.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    place = signing_site(
        options={**anybody, "sign-keys": f'"{folder}/keys"'}, zones={"one.test": made.stdout}
    )
    assert dkim_of(place, "a@one.test") == "signed:k1/one.test"
    # never over a key that is there
    before = path.read_bytes()
    again = subprocess.run(
        [sluice.program("sluicectl"), *words, "one.test"], capture_output=True, text=True, check=False
    )
    assert (again.returncode, again.stdout, path.read_bytes()) == (1, "", before)
    assert "File exists" in again.stderr
