# SPDX-License-Identifier: BSD-2-Clause
"""Signing for many domains and with many keys, through a real Postfix, judged by verifiers that are
not ours.
"""

import pytest

from support import credentials, nameserver, signature
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
