# SPDX-License-Identifier: BSD-2-Clause
"""sluicectl why: one sentence and the next thing to do, for each way that mail ends."""

import datetime
import gzip
import json

import pytest

from support import sluice, workdir

RELAY = "relay=mx.example.net[192.0.2.9]:25, delay=1, delays=0/0/0/1"
AT_RCPT = "(in reply to RCPT TO command)"
OLD, NEW = 3000, 20  # minutes ago


def ago(minutes):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=minutes)
    return when.isoformat(timespec="microseconds")


def postfix(minutes, service, text):
    return f"{ago(minutes)} mx postfix/{service}[7]: {text}\n"


def ours(minutes, program, text):
    return f"{ago(minutes)} mx {program}[9]: {text}\n"


def sent(minutes, queue_id, recipient):
    text = f"{queue_id}: to=<{recipient}>, {RELAY}, dsn=2.0.0, status=sent (250 2.0.0 ok)"
    return postfix(minutes, "smtp", text)


def failed(minutes, queue_id, recipient, dsn, status, said):
    text = f"host mx.example.net[192.0.2.9] said: {said} {AT_RCPT}"
    return postfix(
        minutes, "smtp", f"{queue_id}: to=<{recipient}>, {RELAY}, dsn={dsn}, status={status} ({text})"
    )


OLDER = [
    postfix(OLD, "smtpd", "A000000001: client=pc[192.0.2.7], sasl_method=PLAIN, "
            "sasl_username=alice@example.com"),
    postfix(OLD, "cleanup", "A000000001: message-id=<one@example.com>"),
    sent(OLD, "A000000001", "ok@example.net"),
]
LINES = [
    postfix(19, "smtpd", "A000000002: client=pc[192.0.2.7], sasl_method=PLAIN, sasl_username=dan"),
    *(failed(minutes, "A000000002", "full@example.net", "4.2.2", "deferred", "452 4.2.2 Mailbox full")
      for minutes in (19, 14)),
    failed(18, "A000000003", "gone@example.net", "5.1.1", "bounced", "550 5.1.1 No such user"),
    failed(17, "A000000004", "grey@example.net", "4.7.1", "deferred", "450 4.7.1 Greylisted"),
    sent(12, "A000000004", "grey@example.net"),
    ours(16, "sluice-policyd", "NOQUEUE: event=message dir=out user=eve@example.com "
         "from=eve@example.com verdict=reject causes=dns.recipient-domain trace=0a rcpt=x@no.example"),
    ours(17, "sluice-policyd", "NOQUEUE: event=message dir=out user=eve@example.com "
         "from=eve@example.com verdict=reject causes=dns.recipient-domain trace=0b rcpt=y@other.example"),
    ours(17, "sluice-policyd", "NOQUEUE: event=cause cause=dns.recipient-domain action=reject "
         'rcpt=y@other.example hint="another one\'s" trace=0b'),
    ours(16, "sluice-policyd", "NOQUEUE: event=cause cause=dns.recipient-domain action=reject "
         'rcpt=x@no.example hint="correct no.example" trace=0a'),
    ours(15, "sluice-milter", "A000000005: event=message dir=out user=fay@example.com "
         "from=fay@example.com verdict=hold causes=account.bounce-rate trace=0c"),
    ours(15, "sluice-milter", "A000000005: event=cause cause=account.bounce-rate action=hold "
         'hint="clean the list" trace=0c'),
    postfix(15, "cleanup", "A000000005: milter-hold: END-OF-MESSAGE from pc[192.0.2.7]: milter triggers "
            "HOLD action; from=<fay@example.com> to=<h@example.net> proto=ESMTP helo=<pc>"),
    postfix(15, "cleanup", "A000000006: milter-hold: END-OF-MESSAGE from pc[192.0.2.7]: milter triggers "
            "HOLD action; from=<gil@example.com> to=<i@example.net> proto=ESMTP helo=<pc>"),
    sent(11, "A000000006", "i@example.net"),
    ours(15, "sluice-milter", "A000000009: event=message dir=out user=kim@example.com "
         "from=kim@example.com verdict=hold causes=account.bounce-rate trace=0e"),
    sent(11, "A000000009", "k@example.net"),
    postfix(10, "qmgr", "A000000007: from=<hal@example.com>, size=9, nrcpt=1 (queue active)"),
    postfix(9, "qmgr", "A000000008: from=<ian@example.com>, status=expired, returned to sender"),
    sent(13, "A00000000A", "first@example.net"),
    failed(13, "A00000000A", "third@example.net", "4.2.2", "deferred", "452 4.2.2 Mailbox full"),
    failed(13, "A00000000A", "second@example.net", "5.1.1", "bounced", "550 5.1.1 No such user"),
    sent(12, "A00000000A", "third@example.net"),
    failed(12, "A00000000A", "fourth@example.net", "4.7.1", "deferred", "450 4.7.1 Greylisted"),
    postfix(12, "bounce", "A00000000A: sender non-delivery notification: A00000000B"),
    postfix(12, "qmgr", "A00000000B: from=<>, size=9, nrcpt=1 (queue active)"),
    failed(12, "A00000000B", "lea@example.com", "5.2.2", "bounced", "552 5.2.2 Over quota"),
    f"{ago(8)} mx sendmail[7]: 5AL701Xw012345: to=<s@example.net>, delay=00:00:02, mailer=esmtp, "
    "pri=120345, relay=mx.example.net. [192.0.2.1], dsn=5.1.1, stat=User unknown\n",
    f"{ago(8)} sendmail[7]: 5AL701Xw012346: to=<t@example.net>,<u@example.net>, delay=00:00:02, "
    "mailer=esmtp, pri=120345, relay=mx.example.net. [192.0.2.1], dsn=2.0.0, stat=Sent (ok)\n",
    ours(7, "sluice-milter", "5AL701Xw012347: event=message dir=out user=mia@example.com nrcpt=2 "
         "verdict=accept rcpts=v@example.net,w@example.net trace=1e"),
]
RECORD = {"time": ago(7), "host": "mx", "program": "sluice-milter", "pid": 9, "queue_id": "B000000001"}
JSON = [
    {**RECORD, "event": "message", "user": "jan@example.com", "verdict": "reject",
     "causes": "limit.messages", "trace": "0d"},
    {**RECORD, "event": "cause", "cause": "limit.messages", "action": "reject", "hint": "wait a day",
     "trace": "0d"},
]
# what is asked: a part of the sentence, and of the next thing to do
ASKED = {
    "A000000001": ("A000000001 of alice@example.com to ok@example.net was delivered at ",
                   "nothing to do here"),
    "<one@example.com>": ("to ok@example.net was delivered at ", "nothing to do here"),
    "dan": ("A000000002 of dan to full@example.net was put off at ", "by another way"),
    "full@example.net": ("is tried again (recipient.mailbox-full: ", "by another way"),
    "gone@example.net": ("went back to its sender (recipient.unknown: ", "Correct the address"),
    "A000000004": ("after it was put off 1 time since ", "nothing to do here"),
    "x@no.example": ("A message of eve@example.com to x@no.example was refused by our own server at ",
                     "correct no.example"),
    "eve@example.com": ("(dns.recipient-domain: ", "correct no.example"),
    "no.example": ("to x@no.example was refused by our own server at ", "correct no.example"),
    "fay@example.com": ("A000000005 of fay@example.com was put on hold at ",
                        "clean the list; then let it go with postsuper -H A000000005"),
    "A000000006": ("to i@example.net was delivered at ", "nothing to do here"),
    "kim@example.com": ("A000000009 of kim@example.com to k@example.net was delivered at ",
                        "nothing to do here"),
    "hal@example.com": ("came in, and nothing was tried for it yet", "postqueue -p"),
    "A000000008": ("went back to its sender (destination.unreachable: ", "send it again"),
    "s@example.net": ("5AL701Xw012345 to s@example.net could not be delivered at ",
                      "Correct the address"),
    "t@example.net": ("5AL701Xw012346 to t@example.net was delivered at ", "nothing to do here"),
    "u@example.net": ("5AL701Xw012346 to u@example.net was delivered at ", "nothing to do here"),
    "w@example.net": ("w@example.net came in, and nothing was tried for it yet", "postqueue -p"),
    "third@example.net": ("A00000000A to third@example.net was delivered at ", "nothing to do here"),
    "A00000000A": ("; of its 3 other recipients, 2 got it, 1 will not get it", "Nothing"),
    "A00000000B": ("and went no further, as a notice that has no sender (recipient.mailbox-full: ",
                   "by another way"),
    "jan@example.com": ("B000000001 of jan@example.com was refused by our own server at ",
                        "wait a day"),
}


@pytest.fixture(scope="module")
def why():
    folder = workdir.create("w")
    older, newer, own = (folder / name for name in ("mail.log.1.gz", "mail.log", "own.log"))
    older.write_bytes(gzip.compress("".join(OLDER).encode()))
    newer.write_text("".join(LINES))
    own.write_text("".join(json.dumps(row) + "\n" for row in JSON))
    ctl = sluice.Ctl(sluice.Config(folder, {"hostname": "mx.example.com"}))
    yield lambda *words, files=(older, newer, own): ctl.run("why", *words, *files, check=False)
    workdir.remove(folder)


@pytest.mark.parametrize("what", ASKED)
def test_sentence(why, what):
    done = why(what)
    sentence, following = done.stdout.splitlines()[-2:]
    assert done.returncode == 0
    assert ASKED[what][0] in sentence
    assert following.startswith("Next: ") and ASKED[what][1] in following


def test_what_the_logs_do_not_have(why):
    done = why("nobody@example.com")
    assert done.returncode == 1
    assert done.stdout.startswith("The logs say nothing about nobody@example.com.\nNext: ")
    assert why("--since", "2h", "A000000001").returncode == 1
    assert why("--since", "2h", "A000000002").returncode == 0


def test_logs_of_the_configuration():
    folder = workdir.create("w")
    (folder / "mail.log").write_text("".join(LINES))
    options = {"hostname": "mx.example.com", "log": f'"file:{folder}/own.log"'}
    both = options | {"mail-log": f'{{"{folder}/mail.log", "{folder}/none"}}'}
    # What was not written yet is passed over; what is missing of the MTA's is told.
    done = sluice.Ctl(sluice.Config(folder, both)).run("why", "A000000006", check=False)
    assert done.returncode == 0 and "to i@example.net was delivered at " in done.stdout
    assert done.stderr == f"sluicectl: {folder}/none is not there, and is passed over\n"
    none = options | {"mail-log": f'"{folder}/none"'}
    done = sluice.Ctl(sluice.Config(folder, none)).run("why", "A000000006", check=False)
    assert done.returncode == 66 and f"{folder}/none: " in done.stderr
    workdir.remove(folder)


@pytest.mark.parametrize("words, status, said", [
    (["", "/dev/null"], 64, "expected a queue id"),
    ([" ", "/dev/null"], 64, "expected a queue id"),
    ([], 64, "expected a queue id"),
    (["--since", "soon", "x"], 64, "expected a time"),
    (["x", "/no/such/log"], 66, "No such file"),
])
def test_wrong_words(why, words, status, said):
    done = why(*words, files=())
    assert done.returncode == status and said in done.stderr
