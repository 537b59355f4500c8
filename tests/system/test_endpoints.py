# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl check endpoints: mail servers that are down, whose TLS is wrong, that take no logins."""

import dataclasses
import json
import socket

import pytest

from support import credentials, ports, proof, receiver
from support import site as site_module

NAME = "mail.ends.test"
ZONES = {
    "ends.test": "mail IN A 127.0.0.1\nboth IN A 127.0.0.1\nboth IN AAAA ::1\nvoid IN TXT x\n"
    "alias IN CNAME mail\n",
}
TIMEOUT = "20s"  # which nothing takes that answers


@pytest.fixture(scope="module")
def place(module_site):
    """A name server, and a Postfix whose certificate signs itself."""
    return module_site(parts=[], zones=ZONES)


@pytest.fixture(scope="module")
def authority(place):
    return credentials.Authority(place.folder)


def look(place, endpoint, *words):
    """(exit status, causes as the log has them, what was said)"""
    words = ("check", "endpoints", "--timeout", TIMEOUT, *words)
    done = place.ctl.run(*words, "--json", endpoint, check=False)
    causes, said = [], []
    for address in json.loads(done.stdout)[0]["addresses"]:
        causes += address["causes"]
        said.append(address["said"])
    for cause in causes:
        proof.saw(cause["cause"], " ".join(f"{name}={value}" for name, value in cause.items()))
    return done.returncode, causes, said


# --- config.endpoint-down ----------------------------------------------------------------------


@proof.provokes("config.endpoint-down")
@proof.near_miss("config.endpoint-down")
def test_nobody_listens(place):
    """Refused; a real Postfix that answers is the near miss."""
    port = ports.free_port()
    status, [cause], said = look(place, f"smtp://{NAME}:{port}")
    assert status == 1 and said == ["no TLS"]
    assert (cause["cause"], cause["severity"]) == ("config.endpoint-down", "error")
    assert (cause["ip"], cause["problem"]) == ("127.0.0.1", "Connection refused")
    assert cause["endpoint"] == f"smtp://{NAME}:{port}"
    assert f"127.0.0.1 port {port}" in cause["hint"] and "ss -ltn" in cause["hint"]

    mta = place.mta
    endpoint = f"submission://{site_module.HOSTNAME}:{mta.submission_port}"
    status, causes, [said] = look(place, endpoint, "--ca", mta.certificate.cert)
    # valid for two days
    assert {each["cause"] for each in causes} <= {"config.endpoint-tls"}, causes
    assert f"certificate of {site_module.HOSTNAME} until " in said and "AUTH PLAIN" in said


@proof.provokes("config.endpoint-down")
def test_time_out(place):
    """It takes connections no longer, and nothing is heard of it: packets are dropped."""
    with socket.create_server((ports.LOOPBACK, 0), backlog=0) as full:
        port = full.getsockname()[1]
        held = [socket.socket() for _ in range(3)]
        for each in held:
            each.setblocking(False)
            each.connect_ex((ports.LOOPBACK, port))
        status, [cause], _ = look(place, f"imap://{NAME}:{port}", "--timeout", "300ms")
        for each in held:
            each.close()
    assert status == 1 and (cause["cause"], cause["problem"]) == (
        "config.endpoint-down",
        "timed out",
    )
    assert f"let port {port} through every firewall" in cause["hint"]
    assert "outgoing port 25" not in cause["hint"]  # which this is not


@pytest.mark.parametrize(
    "endpoint, problem, hint",
    [
        ("submission://gone.ends.test", "it has no address", 'publish "gone.ends.test. A ADDRESS"'),
        ("void.ends.test:25", "it has no address", 'publish "void.ends.test. A ADDRESS"'),
        ("imaps://mail.broken.test", "its name cannot be looked up", "sluicectl status"),
    ],
)
def test_a_name_that_leads_nowhere(place, endpoint, problem, hint):
    status, [cause], _ = look(place, endpoint)
    assert status == (69 if "broken" in endpoint else 1)
    assert (cause["cause"], cause["problem"]) == ("config.endpoint-down", problem)
    assert hint in cause["hint"]


def test_each_address_is_looked_at(place, run, authority):
    server = run(receiver.Receiver(tls=authority.issue("both.ends.test"), auth="PLAIN"))
    status, [cause], said = look(
        place, f"submission://both.ends.test:{server.port}", "--ca", authority.cert
    )
    assert status == 1 and cause["ip"] == "::1" and len(said) == 2
    assert cause["cause"] == "config.endpoint-down"


@pytest.mark.parametrize(
    "banner, problem",
    [
        ("554 5.7.1 we do not like you", "greeting: 554 5.7.1 we do not like you"),
        (None, "it closed the connection"),
    ],
)
def test_unwelcome(place, run, banner, problem):
    server = run(receiver.Receiver(banner=banner))
    status, [cause], _ = look(place, f"smtp://{NAME}:{server.port}")
    assert status == 1
    assert (cause["cause"], cause["problem"]) == ("config.endpoint-down", problem)


def test_silent(place, run):
    server = run(receiver.Tarpit())
    status, [cause], _ = look(place, f"smtp://{NAME}:{server.port}", "--timeout", "600ms")
    assert status == 1
    assert (cause["cause"], cause["problem"]) == ("config.endpoint-down", "timed out")
    assert "takes connections" in cause["hint"]


# --- config.endpoint-tls -----------------------------------------------------------------------


@dataclasses.dataclass
class Case:
    name: str
    problem: str
    hint: str
    scheme: str = "submission"
    certified: str = NAME
    days: tuple = (-1, 90)
    trusted: bool = True
    server: dict = dataclasses.field(default_factory=dict)
    timeout: str = TIMEOUT
    severity: str = "error"

    def __str__(self):
        return self.name


CASES = [
    Case("expired", f"the certificate of {NAME} expired on ", f"renew the certificate of {NAME}",
         days=(-90, -3)),
    Case("not-yet-valid", f"the certificate of {NAME} is not valid before ", "correct the clock",
         days=(3, 90)),
    Case("expires-soon", "the certificate expires on ", f"renew the certificate of {NAME}",
         days=(-90, 5), severity="warn"),
    Case("another-name", f"the certificate is for www.ends.test, not for {NAME}",
         f"have {NAME} in the certificate", certified="www.ends.test"),
    Case("unknown-authority", "the certificate does not lead to a known authority: ",
         "--ca FILE", trusted=False),
    Case("wrapped-expired", f"the certificate of {NAME} expired on ", "renew", days=(-90, -3),
         scheme="submissions", server={"wrapped": True}),
    Case("clear-on-a-wrapper-port", "it speaks without TLS, where TLS from the start is expected",
         "smtpd_tls_wrappermode = yes", scheme="submissions"),
    Case("wrapped-on-a-starttls-port", "it speaks TLS from the start, where STARTTLS is expected",
         "smtpd_tls_wrappermode = no", server={"wrapped": True}, timeout="1600ms"),
    Case("no-starttls", "it does not offer STARTTLS", "turn on STARTTLS", server={"tls": None}),
    Case("starttls-refused", "it offers STARTTLS and then refuses it: 454 4.7.0 TLS not available",
         "look at the server's log", server={"tls": "broken"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [pytest.param(each, marks=proof.both("config.endpoint-tls"), id=str(each)) for each in CASES],
)
def test_tls(place, run, authority, case):
    good = {"tls": authority.issue(case.certified, case.days), "auth": "PLAIN LOGIN"}
    server = run(receiver.Receiver(**{**good, **case.server}))
    trust = ("--ca", authority.cert) if case.trusted else ()
    endpoint = f"{case.scheme}://{NAME}:{server.port}"
    status, [cause], _ = look(place, endpoint, "--timeout", case.timeout, *trust)
    assert status == 1
    assert (cause["cause"], cause["severity"]) == ("config.endpoint-tls", case.severity)
    assert cause["problem"].startswith(case.problem), cause
    assert case.hint in cause["hint"] and cause["endpoint"] == endpoint

    server.tls = authority.issue(NAME)
    server.wrapped = case.scheme == "submissions"
    status, causes, [said] = look(place, endpoint, "--ca", authority.cert)
    assert (status, causes) == (0, []), causes
    assert f"certificate of {NAME} until " in said and said.endswith("AUTH PLAIN LOGIN")


def test_a_certificate_that_signs_itself(place):
    """Postfix as it comes."""
    status, causes, _ = look(place, f"smtp://{site_module.HOSTNAME}:{place.mta.smtp_port}")
    assert status == 1
    problems = {each["problem"] for each in causes}
    assert "the certificate is signed by itself, which no client trusts" in problems


def test_name_of_the_certificate(place, run, authority):
    """An address has to be asked for by the name that clients use."""
    server = run(receiver.Receiver(tls=authority.issue(NAME)))
    where = (f"smtp://127.0.0.1:{server.port}", "--ca", authority.cert)
    status, [cause], _ = look(place, *where)
    assert status == 1 and cause["problem"] == f"the certificate is for {NAME}, not for 127.0.0.1"
    assert look(place, *where, "--name", NAME)[0] == 0


def test_several_things_at_once(place, run, authority):
    """As text, too; and what a stranger's certificate says does nothing to a terminal."""
    server = run(receiver.Receiver(tls=authority.issue("old.test\x1b[2J", (-90, -3)), auth="PLAIN"))
    endpoint = f"submission://{NAME}:{server.port}"
    _, causes, _ = look(place, endpoint)
    assert len(causes) == 3, causes
    done = place.ctl.run("check", "endpoints", endpoint, check=False)
    assert done.returncode == 1 and done.stdout.startswith(f"{endpoint}\n  127.0.0.1: TLSv1.3 ")
    assert done.stdout.count("\n  cause=config.endpoint-tls severity=error ") == 3
    assert done.stdout.count("\n    hint: ") == 3 and "\x1b" not in done.stdout


# --- IMAP, logins ------------------------------------------------------------------------------


@proof.provokes("config.endpoint-auth")
@proof.near_miss("config.endpoint-auth")
@pytest.mark.parametrize("scheme", ["submission", "submissions", "imap", "imaps"])
def test_logins(place, run, authority, scheme):
    options = {"tls": authority.issue(NAME), "wrapped": scheme.endswith("s")}
    if scheme.startswith("imap"):
        server = run(receiver.Imap("IMAP4rev1 STARTTLS LOGINDISABLED", **options))
    else:
        server = run(receiver.Receiver(**options))
    endpoint = f"{scheme}://{NAME}:{server.port}"
    status, [cause], _ = look(place, endpoint, "--ca", authority.cert)
    assert status == 1 and cause["cause"] == "config.endpoint-auth"
    assert f"{NAME} port {server.port}" in cause["hint"]

    server.auth, server.capabilities = "PLAIN", "IMAP4rev1 STARTTLS AUTH=PLAIN"
    assert look(place, endpoint, "--ca", authority.cert)[:2] == (0, [])


@proof.provokes("config.endpoint-tls")
def test_imap_without_starttls(place, run):
    server = run(receiver.Imap("IMAP4rev1 LOGINDISABLED"))
    status, [cause], _ = look(place, f"imap://{NAME}:{server.port}")
    assert status == 1 and cause["cause"] == "config.endpoint-tls"
    assert cause["problem"] == "it does not offer STARTTLS"


# --- words -------------------------------------------------------------------------------------


def test_usage(place):
    for words, says in (
        (["endpoints"], "expected endpoints as in submission://"),
        (["endpoints", "gopher://x.test"], '"gopher://x.test" is no endpoint'),
        (["endpoints", "x.test:99999"], '"x.test:99999" is no endpoint'),
        (["endpoints", "--timeout", "soon", "x.test"], "--timeout: expected a time"),
        (["nonsense"], "expected dns or endpoints"),
    ):
        done = place.ctl.run("check", *words, check=False)
        assert done.returncode == 64 and says in done.stderr, done.stderr
    done = place.ctl.run("check", "endpoints", "--ca", "/nowhere.pem", "x.test", check=False)
    assert done.returncode == 66 and "/nowhere.pem" in done.stderr
