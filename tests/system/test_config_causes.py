# SPDX-License-Identifier: BSD-2-Clause
"""config.*: how clients connect, as Postfix and Sendmail tell of it: port, encryption, HELO name."""

import dataclasses
import ssl
import warnings

import pytest

from support import proof, smtp
from support import site as site_module

DOMAIN = site_module.DOMAIN
BOB = f"bob@{DOMAIN}"
OURS = "198.51.100.9"
FROM_OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "[UNAVAILABLE]"}
OUTSIDE = {**FROM_OUTSIDE, "HELO": "client.example.net"}
OPTIONS = {"outgoing-addresses": f'{{"{OURS}"}}', "internal-networks": '{"127.0.0.0/8", "10.0.0.0/8"}'}
# Old ciphers and protocols, which OpenSSL itself would not take any more.
SETTINGS = {
    "smtpd_tls_auth_only": "no",
    "mynetworks": "127.0.0.0/8 10.0.0.0/8 203.0.113.0/24",
    "smtpd_tls_protocols": ">=TLSv1",
    "smtpd_tls_mandatory_protocols": ">=TLSv1",
    "tls_medium_cipherlist": "ALL:COMPLEMENTOFALL:@SECLEVEL=0",
}


def old_tls():
    context = smtp.trusting_context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


def weak_cipher():
    context = smtp.trusting_context()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0")
    return context


@dataclasses.dataclass
class Case:
    name: str
    cause: str
    fields: dict
    hint: str
    pose: dict = dataclasses.field(default_factory=dict)
    near: dict = dataclasses.field(default_factory=dict)
    login: bool = False
    tls: bool = False
    context: object = None
    near_context: object = None

    def __str__(self):
        return self.name


CASES = [
    Case(
        "config.port-login-on-25",
        "config.port",
        {"user": BOB, "port": "25", "client": "203.0.113.7"},
        f"set the outgoing port of {BOB}'s mail program to 587 (STARTTLS) or 465 (TLS)",
        {"DESTPORT": "25"},
        {"DESTPORT": "587"},
        login=True,
        tls=True,
    ),
    Case(
        "config.port-relay-on-587",
        "config.port",
        {"client": "203.0.113.7", "port": "587"},
        "have 203.0.113.7 log in on port 587",
        {"DESTPORT": "587"},
        {"DESTPORT": "25"},
        tls=True,
    ),
    Case(
        "config.weak-tls-protocol",
        "config.weak-tls",
        {"user": BOB, "tls": "TLSv1.1", "client": "203.0.113.7"},
        f"update the mail program of {BOB}, which negotiated TLSv1.1",
        login=True,
        tls=True,
        context=old_tls,
    ),
    Case(
        "config.weak-tls-cipher",
        "config.weak-tls",
        {"tls": "TLSv1.2", "cipher": "ECDHE-ECDSA-NULL-SHA", "problem": "it does not encrypt"},
        "update the machine 203.0.113.7",
        tls=True,
        context=weak_cipher,
    ),
    Case(
        "config.helo-invalid",
        "config.helo",
        {"helo": "my_pc", "problem": "it is not a host name", "client": "203.0.113.7"},
        'in place of "my_pc"',
        {"HELO": "my_pc"},
        {"HELO": "mail.example.net"},
    ),
    Case(
        "config.helo-bare-address",
        "config.helo",
        {"helo": "203.0.113.7", "problem": "an address stands in brackets"},
        "203.0.113.7",
        {"HELO": "203.0.113.7"},
        {"HELO": "[203.0.113.7]"},
    ),
    Case(
        "config.helo-our-name",
        "config.helo",
        {"helo": site_module.HOSTNAME, "problem": "it is our own name"},
        "give the machine at 203.0.113.7 its own full name",
        {"HELO": site_module.HOSTNAME},
        {"HELO": site_module.HOSTNAME, "ADDR": "10.1.2.3"},
    ),
    Case(
        "config.helo-our-address",
        "config.helo",
        {"helo": f"[{OURS}]", "problem": "it is our own address"},
        "203.0.113.7",
        {"HELO": f"[{OURS}]"},
        {"HELO": f"[{OURS}]", "ADDR": OURS},
    ),
    Case(
        "config.helo-of-a-login",
        "config.helo",
        {"helo": "bob-s", "problem": "it is not a full host name"},
        "in place of",
        {"HELO": "bob-s"},
        {"HELO": "bob-s", "LOGIN": BOB},
        tls=True,
    ),
]


@pytest.fixture(scope="module")
def place(module_site):
    return module_site(options=OPTIONS, settings=SETTINGS)


def send(place, case, near=False):
    context = case.near_context if near else case.context
    pose = {**OUTSIDE, **(case.near if near else case.pose)}
    if case.login:
        pose["LOGIN"] = BOB
    with smtp.Client(
        place.mta.smtp_port,
        helo=pose.pop("HELO"),
        tls=case.tls,
        context=context() if context else None,
    ) as client:
        client.pose(**pose)
        sender = BOB if "LOGIN" in pose else "someone@example.net"
        return client.send(sender, [f"alice@{DOMAIN}"])


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=proof.both(case.cause), id=str(case)) for case in CASES]
)
def test_config(place, case):
    outcome = send(place, case)
    assert outcome.accepted, outcome.refusal
    for daemon in (place.policyd, place.milter):
        event = daemon.log.wait(event="cause", cause=case.cause, queue_id=outcome.queue_id)
        assert {name: event[name] for name in case.fields} == case.fields
        assert case.hint in event["hint"]
        assert event["action"] == "log"

    near = send(place, case, near=True)
    assert near.accepted, near.refusal
    for daemon in (place.policyd, place.milter):
        daemon.log.wait(event="message", queue_id=near.queue_id)
        assert not daemon.log.events(cause=case.cause, queue_id=near.queue_id)


@proof.provokes("config.plaintext")
@proof.near_miss("config.plaintext")
def test_plaintext(place):
    """A login without encryption is refused; with it, and from this very machine, it is not."""
    with smtp.Client(place.mta.smtp_port) as client:
        client.pose(**FROM_OUTSIDE, LOGIN=BOB)
        refusal = client.send(BOB, [f"alice@{DOMAIN}"]).refusal
    assert str(refusal).startswith("530 5.7.0"), refusal
    assert "STARTTLS (port 587)" in refusal.text and refusal.text.endswith("[config.plaintext]")
    event = place.policyd.log.wait(event="cause", cause="config.plaintext", user=BOB)
    assert event["client"] == "203.0.113.7" and event["action"] == "reject"
    assert "smtpd_tls_auth_only = yes" in event["hint"] and BOB in event["hint"]

    for pose, tls in (({**FROM_OUTSIDE, "LOGIN": BOB}, True), ({"LOGIN": BOB}, False)):
        with smtp.Client(place.mta.smtp_port, tls=tls) as client:
            client.pose(**pose)
            near = client.send(BOB, [f"alice@{DOMAIN}"])
        assert near.accepted, near.refusal
        for daemon in (place.policyd, place.milter):
            daemon.log.wait(event="message", queue_id=near.queue_id)
            assert not daemon.log.events(cause="config.plaintext", queue_id=near.queue_id)


def test_submission_without_tls(place):
    """Port 587 is for encrypted mail, whoever sends."""
    with smtp.Client(place.mta.smtp_port) as client:
        client.pose(**FROM_OUTSIDE, DESTPORT="587")
        refusal = client.send("someone@example.net", [f"alice@{DOMAIN}"]).refusal
    assert str(refusal).startswith("530 5.7.0"), refusal
    event = place.policyd.log.wait(event="cause", cause="config.plaintext", port="587")
    assert "smtpd_tls_security_level = encrypt for port 587" in event["hint"]
