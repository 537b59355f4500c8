# SPDX-License-Identifier: BSD-2-Clause
"""content.*: what is in a message is found while it passes, and ordinary mail raises nothing."""

import base64
import dataclasses
import io
import pathlib
import uuid
import zipfile

import pytest

from support import proof, sluice
from support import site as site_module

DOMAIN = site_module.DOMAIN
HAM = sorted((pathlib.Path(sluice.TOP) / "tests" / "data" / "ham").glob("*.eml"))
OPTIONS = {
    "attachment-size": "100K",
    "links-max": "20",
    "bulk-recipients": "10",
    "trusted-scanners": '{"scanner.example.test"}',
    "max-message-size": "100M",
}
SECTIONS = """
limit daily { subject = user  count = messages  max = 100000  per = 24h }
class newsletter { members = {"bob@example.test"}  bulk = yes  limit daily { max = 200000 } }
"""
SETTINGS = {"mynetworks": "127.0.0.0/8", "message_size_limit": "104857600"}
UNSUBSCRIBE = "List-Unsubscribe: <https://news.example.test/leave>\n"
ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"
RSPAMD = (
    "X-Rspamd-Server: {}\nX-Spamd-Result: default: True [18.31 / 15.00];\n\tBAYES_SPAM(5.10)[99%]\n"
)


@pytest.fixture(scope="module")
def place(module_site, dkim_key):
    """Bounces come from the host's own name, which has to have an SPF record too."""
    own = site_module.own_zone(dkim_key.record) + 'mx IN TXT "v=spf1 ip4:127.0.0.1 -all"\n'
    return module_site(
        options=OPTIONS,
        sections=SECTIONS,
        settings=SETTINGS,
        zones={DOMAIN: own},
        parts=("sluice-milter",),
    )


def attached(name, data, kind="application/octet-stream"):
    text = base64.encodebytes(data).decode()
    return (
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThe file.\n"
        f'--b\nContent-Type: {kind}; name="{name}"\nContent-Transfer-Encoding: base64\n\n{text}'
        "--b--\n"
    )


def zipped(*names, **files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "contents")
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def nested(depth):
    """An empty archive in so many others."""
    data = zipped()
    for _ in range(depth):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("in.zip", data)
        data = buffer.getvalue()
    return data


def html(text):
    return f"Content-Type: text/html; charset=utf-8\n\n<p>{text}</p>\n"


PROGRAM = b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0" + bytes(100)
TEXT = "Content-Type: text/plain\n\nHello.\n"


@dataclasses.dataclass
class Case:
    """What a message holds behind its first headers, what is found, and what is not in near."""

    name: str
    cause: str
    mail: str
    fields: dict
    hint: str
    near: str
    action: str = "log"
    recipients: int = 1
    near_recipients: int = 1
    login: str = "alice"
    near_login: str = "alice"


CASES = [
    Case(
        "attachment-size",
        "content.attachment-size",
        attached("plan.pdf", b"%PDF" + bytes(150000), "application/pdf"),
        {"size": "150004", "max": "102400", "file": "plan.pdf", "file-size": "150004"},
        'put "plan.pdf" (0.2 MB) on a file server and send its link',
        attached("plan.pdf", b"%PDF" + bytes(100000), "application/pdf"),
    ),
    Case(
        "attachment-type-name",
        "content.attachment-type",
        attached("Invoice.PDF.exe", b"text"),
        {"file": "Invoice.PDF.exe", "type": "exe", "by": "name", "part": "2"},
        "send a link to Invoice.PDF.exe",
        attached("Invoice.exe.pdf", b"%PDF-1.4"),
        action="warn",
    ),
    Case(
        "attachment-type-magic",
        "content.attachment-type",
        attached("invoice.pdf", PROGRAM),
        {"file": "invoice.pdf", "type": "Windows program", "by": "magic"},
        "alice@example.test did not attach it",
        attached("invoice.pdf", b"MZ is what this text begins with" * 10),
        action="warn",
    ),
    Case(
        "attachment-type-zip",
        "content.attachment-type",
        attached("files.zip", zipped("a/letter.txt", "a/b/setup.scr")),
        {"file": "files.zip", "inner": "a/b/setup.scr", "type": "scr", "by": "archive"},
        "send a link to a/b/setup.scr in files.zip",
        attached("files.zip", zipped("a/letter.txt", "a/setup.scr/letter.txt")),
        action="warn",
    ),
    Case(
        "attachment-type-nested",
        "content.attachment-type",
        attached("files.zip", nested(9)),
        {"inner": "in.zip/in.zip/in.zip/in.zip", "type": "zip", "by": "archive-depth"},
        "send a link to in.zip/in.zip/in.zip/in.zip in files.zip",
        attached("files.zip", nested(3)),
        action="warn",
    ),
    Case(
        "attachment-type-macros",
        "content.attachment-type",
        attached("report.docx", zipped("word/document.xml", "word/vbaProject.bin")),
        {"file": "report.docx", "type": "macros", "by": "macro", "part": "2"},
        "save report.docx without macros",
        attached("report.docx", zipped("word/document.xml", "word/media/image1.png")),
        action="warn",
    ),
    Case(
        "attachment-type-bomb",
        "content.attachment-type",
        attached("files.zip", zipped(**{"in.zip": bytes(5000000)})),
        {"file": "files.zip", "inner": "in.zip", "type": "zip", "by": "archive-size"},
        "send a link to in.zip in files.zip",
        attached("files.zip", zipped(**{"in.bmp": bytes(5000000)})),
        action="warn",
    ),
    Case(
        "attachment-type-bare",
        "content.attachment-type",
        attached("tool.py", b"print()"),
        {"file": "tool.py", "type": "py", "by": "name"},
        "send a link to tool.py",
        attached("tool.zip", zipped("tool.py")),
        action="warn",
    ),
    Case(
        "links-many",
        "content.links",
        html("".join(f'<a href="https://example.com/{n}">x</a>' for n in range(21))),
        {"problem": "many", "links": "21", "max": "20"},
        "leave out some of the 21 links",
        html("".join(f'<a href="https://example.com/{n}">x</a>' for n in range(20))),
    ),
    Case(
        "links-disguised",
        "content.links",
        html('<a href="https://evil.example.org/">https://www.bank.com/login</a>'),
        {"problem": "disguised", "shown": "www.bank.com", "host": "evil.example.org"},
        "show evil.example.org",
        html('<a href="https://login.bank.com/">https://www.bank.com/login</a>'),
    ),
    Case(
        "links-shortener",
        "content.links",
        "Content-Type: text/plain\n\nSee https://bit.ly/abc .\n",
        {"problem": "shortener", "host": "bit.ly"},
        "bit.ly",
        "Content-Type: text/plain\n\nSee https://rabbit.ly/abc .\n",
    ),
    Case(
        "links-address",
        "content.links",
        html('<a href="http://3221225985/pay">here</a>'),
        {"problem": "address", "host": "192.0.2.1"},
        "give 192.0.2.1 a name",
        html('<a href="http://192.0.2.1.example.com/pay">here</a>'),
    ),
    Case(
        "bulk-headers-precedence",
        "content.bulk-headers",
        "Precedence: bulk\n" + TEXT,
        {"problem": "no List-Unsubscribe", "bulk-by": "Precedence: bulk"},
        'program that makes the message of alice@example.test at 127.0.0.1 add '
        '"List-Unsubscribe: <https://example.test/...>"',
        "Precedence: bulk\n" + UNSUBSCRIBE + ONE_CLICK + TEXT,
        action="warn",
    ),
    Case(
        "bulk-headers-recipients",
        "content.bulk-headers",
        "List-Unsubscribe: <mailto:leave@example.test>\n" + TEXT,
        {"problem": "List-Unsubscribe has no https address", "bulk-by": "10 recipients"},
        "<https://example.test/...>, <mailto:leave@example.test>",
        TEXT,
        action="warn",
        recipients=10,
        near_recipients=9,
    ),
    Case(
        "bulk-headers-class",
        "content.bulk-headers",
        UNSUBSCRIBE + TEXT,
        {"problem": "no List-Unsubscribe-Post", "bulk-by": "class newsletter"},
        "answer the POST to <https://news.example.test/leave>",
        UNSUBSCRIBE + TEXT,
        action="warn",
        login="bob",
    ),
    Case(
        "bulk-headers-unsigned",
        "content.bulk-headers",
        "Precedence: bulk\nFrom: alice@example.net\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s; h=from:list-unsubscribe; bh=x; b=x\n"
        + UNSUBSCRIBE
        + ONE_CLICK
        + TEXT,
        {"problem": "the DKIM signature does not cover it"},
        "let what signs for example.net name List-Unsubscribe and List-Unsubscribe-Post in the h=",
        "Precedence: bulk\nFrom: alice@example.net\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=example.net; s=s;\n"
        " h=from:list-unsubscribe-post:list-unsubscribe; bh=x; b=x\n"
        + UNSUBSCRIBE
        + ONE_CLICK
        + TEXT,
        action="warn",
        login=None,
        near_login=None,
    ),
    Case(
        "spam-score",
        "content.spam-score",
        RSPAMD.format("scanner.example.test") + TEXT,
        {"scanner": "Rspamd", "score": "18.31", "required": "15.00", "symbols": "BAYES_SPAM"},
        "what Rspamd found: BAYES_SPAM",
        RSPAMD.format("scanner.example.net") + TEXT,
        action="hold",
    ),
    Case(
        "malformed-boundary",
        "content.malformed",
        'Content-Type: multipart/mixed; boundary="b"\n\n--c\n\nHello.\n--c--\n',
        {"problem": 'its boundary "b" never comes'},
        'each part has to begin with a line "--b"',
        'Content-Type: multipart/mixed; boundary="b"\n\n--b\n\nHello.\n--b--\n',
        action="warn",
    ),
    Case(
        "malformed-nesting",
        "content.malformed",
        "Content-Type: message/rfc822\n\n" * 21 + "Hello.\n",
        {"problem": "parts are nested over 20 levels deep"},
        "raise mime-nesting (now 20)",
        "Content-Type: message/rfc822\n\n" * 20 + "Hello.\n",
        action="warn",
    ),
]


def post(place, rest, login="alice", recipients=1, subject=None, head=True):
    """Send it; returns its queue id, once its log lines are there, and those of its causes."""
    sender = f"{login or 'alice'}@{DOMAIN}"
    lines = f"Subject: {subject or uuid.uuid4().hex}\nTo: carol@example.net\n"
    lines += f"Date: Thu, 19 Nov 2026 09:15:00 +0100\nMessage-ID: <{uuid.uuid4().hex}@{DOMAIN}>\n"
    if "From:" not in rest:
        lines += f"From: {sender}\n"
    text = (lines if head else "") + rest
    data = text.encode() if isinstance(text, str) else text
    names = [f"r{n}@example.net" for n in range(recipients)]
    with place.client(login) as client:
        outcome = client.send(sender, names, data.replace(b"\n", b"\r\n"))
    assert outcome.accepted, outcome
    return outcome.queue_id, causes_of(place, outcome.queue_id)


def causes_of(place, queue_id):
    line = place.milter.log.wait(event="message", queue_id=queue_id)
    for cause in (line.get("causes") or "").split(","):
        if cause:
            place.milter.log.wait(event="cause", queue_id=queue_id, cause=cause)
    return place.milter.log.events(event="cause", queue_id=queue_id)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=proof.both(case.cause), id=case.name) for case in CASES]
)
def test_cause(place, case):
    place.milter.log.mark()
    _, found = post(place, case.mail, case.login, case.recipients)
    events = [event for event in found if event["cause"] == case.cause]
    assert len(events) == 1, found
    assert {name: events[0].get(name) for name in case.fields} == case.fields
    assert case.hint in events[0]["hint"]
    assert events[0]["action"] == case.action
    _, found = post(place, case.near, case.near_login, case.near_recipients)
    assert not [event for event in found if event["cause"] == case.cause], found


def test_the_warning_says_what_was_attached(place):
    """A person reads it in the header of the delivered message."""
    subject = uuid.uuid4().hex
    post(place, attached("setup.exe", b"x"), subject=subject)
    warnings = place.sink.wait_subject(subject).message.get_all("X-Sluice-Warning")
    assert any("The attachment setup.exe is of a type that mail servers" in value for value in warnings), warnings


def test_spam_is_held(place):
    queue_id, found = post(place, RSPAMD.format("scanner.example.test") + TEXT)
    spam = [event["reply"] for event in found if event["cause"] == "content.spam-score"]
    assert spam == ["550 5.7.1"], found
    held = [mail for mail in place.mta.queued() if mail["queue_name"] == "hold"]
    assert queue_id in [mail["queue_id"] for mail in held]


INTERNATIONALIZED = ("internationalized", "delivery-status-utf8")


@pytest.mark.parametrize("path", HAM, ids=lambda path: path.stem)
def test_ordinary_mail(place, path):
    """Nothing above log is found in mail as people, lists and programs send it."""
    data = path.read_bytes().replace(b"\n", b"\r\n")
    options = ["BODY=8BITMIME"] + (["SMTPUTF8"] if path.stem in INTERNATIONALIZED else [])
    sender = "" if path.stem.startswith("delivery-status") else f"alice@{DOMAIN}"
    with place.client() as client:
        outcome = client.send(sender, ["carol@example.net"], data, options)
    assert outcome.accepted, outcome
    found = causes_of(place, outcome.queue_id)
    line = place.milter.log.wait(event="message", queue_id=outcome.queue_id)
    assert line["verdict"] == "accept" and "would" not in line, (line, found)
    assert all(event["action"] == "log" for event in found), found


def test_ordinary_mail_of_many_kinds():
    assert len(HAM) >= 60


HOSTILE = {
    "50-mb": (
        attached("a.pdf", bytes(36 << 20)),
        "content.attachment-size",
    ),
    "many-headers": ("X-Many: 1\n" * 10000 + TEXT, "content.malformed"),
    "nested-parts": (
        "".join(
            f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(1000)
        )
        + "\nHello.\n",
        "content.malformed",
    ),
    "large-header": (
        "X-Large: " + "\n ".join(["x" * 900] * 1165) + "\n" + TEXT,
        "content.malformed",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mail(place, name):
    """It ends soon, in bounded memory, and says why in the log."""
    rest, cause = HOSTILE[name]
    peak = place.milter.processes()[0].pid
    before = _resident_kib(peak)
    _, found = post(place, rest)
    assert cause in [event["cause"] for event in found], found
    if not sluice.is_sanitized():
        assert _resident_kib(peak) - before < 16 * 1024
    post(place, TEXT)


def _resident_kib(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
