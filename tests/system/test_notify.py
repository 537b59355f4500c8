# SPDX-License-Identifier: BSD-2-Clause
"""Telling people: mail through Postfix' own sendmail(1) and a command, once per subject, cause and window."""

import time

import pytest

from support import milter, policy, sluice, wait
from support.counting import NO_DNS
from support.feedback import MailLog

ADMIN = "admin@example.net"
COMMAND = """#!/bin/sh
{ printf '%s\\n' "$@"; echo "PATH=$PATH HOME=$HOME"; cat; echo END; } >>"$0.log"
case $1 in slow) exec sleep 300 ;; esac
exit 3
"""
SECTIONS = """
limit few {{ subject = user  count = messages  max = 1  per = 1h  near = 0 }}
limit tried {{ subject = user  count = messages  max = 1  per = 1h  near = 0  shadow = yes }}
limit fanout {{ count = recipients  max = 2  per = message }}
limit heavy {{ subject = user  count = bytes  max = 10  per = 1h  near = 0  shadow = yes }}
cause limit.message-recipients {{ mode = observe }}
notify shadow {{ causes = {{limit.bytes}}  command = {{"{command}", "run"}} }}
notify people {{
    causes = {{"limit.message*"}}  per = 24h
    mail = {{{admin}}}  to-user = yes  template = "{template}"
}}
notify pager {{
    causes = {{limit.messages}}  per = 24h
    command = {{"{command}", "run", "%{{cause}}", "100%%", "%{{subject}}; touch x", "%{{nothing}}"}}
}}
notify sleeper {{
    causes = {{limit.messages}}  per = 24h
    command = {{"{command}", "slow"}}
}}
{no_dns}
"""


@pytest.fixture(name="command", scope="module")
def fixture_command(tmp_path_factory):
    command = tmp_path_factory.mktemp("n") / "command"
    command.write_text(COMMAND)
    command.chmod(0o755)
    return command


@pytest.fixture(name="place", scope="module")
def fixture_place(module_site, command):
    template = command.with_name("notice")
    template.write_text("Subject: %{limit}: %{used} of %{max}\n\nAbout %{user}: %{sentence}\n")
    sections = SECTIONS.format(admin=ADMIN, template=template, command=command, no_dns=NO_DNS)
    options = {"notify-timeout": "4s", "notify-from": '"Mail <mail@example.test>"'}
    place = module_site(options=options, sections=sections)
    # Only now is it known where Postfix' configuration is.
    mailer = f'{{"/usr/sbin/sendmail", "-C", "{place.mta.config}"}}'
    place.config.options["notify-sendmail"] = mailer
    place.config.write()
    place.policyd.reload()
    place.policyd.log.wait(event="reloaded")
    return place


def output(command):
    log = command.with_name("command.log")
    return log.read_text() if log.exists() else ""


def send(place, user, count, **attributes):
    with policy.Client(place.policy_socket) as client:
        for number in range(count):
            client.message(f"{user}{number}", sasl_username=user, sender=user, **attributes)


def test_mail_to_admin_and_user(place, command):
    send(place, "carol@example.net", 6)
    messages = {mail.message["To"]: mail.message for mail in place.sink.wait_count(2)}
    assert set(messages) == {ADMIN, "carol@example.net"}
    mine = messages[ADMIN]
    assert mine["Subject"] == "few: 1 of 1" and mine["From"] == "Mail <mail@example.test>"
    assert mine["Auto-Submitted"] == "auto-generated"
    assert "About carol@example.net: Your account has used 1 of 1 message" in mine.get_content()
    theirs = messages["carol@example.net"]
    assert theirs["Subject"] == "Too many messages" and "limit.messages" in theirs.get_content()
    log = place.policyd.log
    for to in messages:
        sent = log.wait(event="notify", notify="people", to=to)
        assert (sent["state"], sent["subject"]) == ("sent", "user:carol@example.net")
    # The command is run once too, with its arguments as they are and nothing else.
    failed = log.wait(event="notify", notify="pager")
    assert (failed["state"], failed["problem"]) == ("failed", "exit status 3")
    slow = log.wait(event="notify", notify="sleeper")
    assert "took too long" in slow["problem"]
    said = output(command)
    words = ["run", "limit.messages", "100%", "user:carol@example.net; touch x", ""]
    assert "\n".join(words) + "\nPATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=\n" in said, said
    assert said.count("run\n") == 1 and "Too many messages" in said
    assert not command.with_name("x").exists()


def test_each_subject_hears_of_each_cause_once(place):
    # By the other daemon of the site, too: what was told is in the store.
    before = place.sink.count()
    send(place, "dora@example.net", 3)
    wait.poll(lambda: place.sink.count() == before + 2, what="two more mails")
    place.policyd.stop()
    place.policyd.start()
    send(place, "dora@example.net", 3)
    send(place, "emil@example.net", 3)
    wait.poll(lambda: place.sink.count() >= before + 4, what="emil's mails")
    heard = [mail.message["To"] for mail in place.sink.messages()][before:]
    assert sorted(heard) == sorted([ADMIN, ADMIN, "dora@example.net", "emil@example.net"])


def test_what_does_nothing_concerns_nobody_but_the_admin(place):
    """Of what is only observed the user hears nothing, and of a limit that is tried nobody does."""
    before, user = place.sink.count(), "gina@example.net"
    recipients = [f"r{number}@example.net" for number in range(3)]
    with policy.Client(place.policy_socket) as client:
        said = client.message("GINA", recipients, sasl_username=user, sender=user, size="5000")
    assert said[-1] == "DUNNO"
    log = place.policyd.log
    log.wait(event="cause", limit="heavy", shadow="yes")
    log.wait(event="notify", subject=f"user:{user}", state="sent")
    # Those of one message are begun in the order of what was found, so a later one ends it.
    send(place, "hanna@example.net", 2)
    log.wait(event="notify", notify="pager", subject="user:hanna@example.net")
    wait.poll(lambda: place.sink.count() >= before + 3, what="the mails")
    heard = [mail.message["To"] for mail in place.sink.messages()][before:]
    assert sorted(heard) == sorted([ADMIN, ADMIN, "hanna@example.net"])
    assert log.events(event="notify", notify="shadow") == []


def test_what_is_refused_in_a_configuration(place):
    cases = {
        'notify x { causes = limit.mesages  mail = "a@b" }': 'did you mean "limit.messages"?',
        "notify x { causes = limit.near }": "tells nobody",
        'notify x { causes = "nothing.*"  to-user = yes }': "no cause is called",
        'notify x { causes = "*"  command = {page} }': "a path from the root",
        'notify x { causes = "*"  mail = postmaster }': "expected addresses",
        'notify x { causes = "*"  to-user = yes  template = "/no/such" }': "/no/such",
        'notify x { causes = "*"  to-user = yes  per = message }': "expected a time",
    }
    path = place.folder / "bad.conf"
    for text, want in cases.items():
        path.write_text(text + "\n")
        done = place.ctl.run("-c", path, "config", check=False)
        assert done.returncode == 78 and want in done.stderr, (text, done.stderr)


HOSTILE = """
limit few {{ subject = user  count = messages  max = 1  per = 1h  near = 0 }}
notify gone {{ causes = {{limit.messages}}  command = {{"{folder}/gone", "x"}} }}
notify badly {{ causes = {{limit.messages}}  command = {{"{folder}/badly", "%{{subject}}"}} }}
notify hangs {{ causes = {{limit.messages}}  command = {{"{folder}/hangs"}} }}
notify talks {{ causes = {{limit.messages}}  command = {{"{folder}/talks"}} }}
notify text {{
    causes = {{limit.messages}}
    command = {{"{folder}/keeps", "%{{", "%", "%%{{cause}}"}}  template = "{folder}/text"
}}
{no_dns}
"""
PROGRAMS = {
    "gone": "",
    "badly": "exit 1",
    "hangs": "trap '' TERM INT HUP\nsleep 300\nsleep 300",
    "talks": "exec yes",
    "keeps": 'printf \'%s\\n\' "$@" >>"$0.log"; cat >>"$0.log"',
}


@pytest.fixture(name="hostile", scope="module")
def fixture_hostile(module_site, tmp_path_factory):
    """Two daemons that tell by programs which do all that programs should not."""
    folder = tmp_path_factory.mktemp("h")
    for name, script in PROGRAMS.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    (folder / "text").write_text("Subject: no end\n" + "%{hint}%{sentence}" * 900 + "%{nobody}%{\n.\n%")
    place = module_site(mta="none", options={"notify-timeout": "4s", "notify-processes": "2"},
                        sections=HOSTILE.format(folder=folder, no_dns=NO_DNS), resolver=False,
                        parts=sluice.DAEMONS)
    (folder / "gone").unlink()
    place.programs = folder
    return place


def test_programs_that_misbehave(hostile):
    """Each is told of in the log, and the daemons go on meanwhile."""
    wanted = {"gone": "No such file or directory", "badly": "exit status 1", "hangs": "took too long",
              "talks": "took too long", "text": None}
    with policy.Client(hostile.policy_socket) as client:
        for number in range(4):
            user = f"u{number % 2}@example.net"
            client.message(f"P{number}", sasl_username=user, sender=user)
        started = time.monotonic()
        for number in range(20):
            assert client.message(f"F{number}", sasl_username=f"free{number}@example.net",
                                  sender=f"free{number}@example.net")[-1] == "DUNNO"
        assert time.monotonic() - started < 20
    log = hostile.policyd.log
    wait.poll(lambda: len(log.events(event="notify")) >= 2 * len(wanted), what="all notices to end")
    for line in log.events(event="notify"):
        want = wanted[line["notify"]]
        assert (line["state"], want is None or want in line["problem"]) == ("failed" if want else "sent", True), line
    kept = (hostile.programs / "keeps.log").read_text()
    assert kept.startswith("%{\n%\n%{cause}\nSubject: no end\n") and len(kept) > 2 * 30000
    send(hostile, "late@example.net", 1)
    hostile.policyd.log.wait(event="message", user="late@example.net", verdict="accept")


def test_the_milter_tells_too(hostile):
    user = "milter@example.net"
    with milter.Client(hostile.milter_socket) as mta:
        mta.connect()
        replies = [mta.message(f"M{number}", user, ["bob@example.net"], login=user) for number in range(3)]
        # With <> as the sender, too: no bounce has a login.
        lonely = [mta.message(f"N{number}", "", ["bob@example.net"], login="null@example.net") for number in range(2)]
    assert [reply.passes for reply in replies + lonely] == [True, False, False, True, False]
    for name in ("milter", "null"):
        line = hostile.milter.log.wait(event="notify", notify="badly", subject=f"user:{name}@example.net")
        assert line["problem"] == "exit status 1"
    assert len(hostile.milter.log.events(event="notify", notify="badly")) == 2


FOLLOWED = """
notify log {{
    causes = {{"destination.*", "recipient.*", "account.login-*", "self.*"}}
    command = {{"{command}", "%{{cause}} %{{subject}}", "%{{user}} %{{rcpt}} %{{host}}"}}
}}
cause destination.content {{ action = ignore }}
{no_dns}
"""


@pytest.fixture(name="followed", scope="module")
def fixture_followed(module_site, command):
    """What the MTA's log alone tells, and what happens to a daemon itself."""
    place = module_site(mta="none", sections=FOLLOWED.format(command=command, no_dns=NO_DNS),
                        options={"login-failures": "2", "store-timeout": "300ms"}, resolver=False)
    place.mail = MailLog(place.folder / "mail.log")
    place.feedback = sluice.Daemon("sluice-feedback", place.folder, place.policyd._config, [],
                                   overrides={"mail-log": str(place.mail.path)})
    place.feedback.start()
    yield place
    place.feedback.stop()


def test_what_the_log_tells(followed):
    """Of a destination once, whoever wrote there; of a recipient and of logins, each user once."""
    mail, number = followed.mail, iter(range(1000, 2000))

    def fail(user, recipient, words, status="bounced", dsn="5.1.1", sender=None):
        queue_id = f"B{next(number):09X}"
        if user:
            mail.sender(queue_id, user, sender)
        else:
            mail.line("qmgr", f"{queue_id}: from=<>, size=9, nrcpt=1 (queue active)")
        mail.delivery(queue_id, recipient, status, dsn, words)

    blocked = "554 5.7.1 Service unavailable; client blocked using zen.example.org"
    for user in ("ann@example.test", "ben@example.test"):
        fail(user, "x@blocks.test", blocked, dsn="5.7.1")
        for name in ("nobody", "noone"):
            fail(user, f"{name}@example.net", "550 5.1.1 No such user")
    fail(None, "y@other.test", blocked, dsn="5.7.1")
    fail("ann@example.test", "z@spam.test", "550 5.7.1 Message rejected as spam", dsn="5.7.1")
    old = "B000000999: to=<q@old.test>, relay=mx.old.test[192.0.2.9]:25, delay=1, delays=0/0/1/0, dsn=5.7.1, "
    mail.line("smtp", f"{old}status=bounced (host mx.old.test[192.0.2.9] said: {blocked})", ago=7200)
    for attempt in range(4):
        mail.line("submission/smtpd", f"warning: a.test[192.0.2.1]: SASL PLAIN authentication failed: {attempt}, "
                                      "sasl_username=cid@example.test")
    fail("dan@example.test", "late@example.net", "550 5.1.1 No such user")
    told = followed.feedback.log
    told.wait(event="notify", subject="user:dan@example.test", seconds=30)
    wait.poll(lambda: len(told.events(event="notify")) >= 5, 30, "the notices")
    assert sorted((line["cause"], line["subject"]) for line in told.events(event="notify")) == [
        ("account.login-failures", "user:cid@example.test"),
        ("destination.blocks-us", "destination:blocks.test"),
        ("recipient.unknown", "user:ann@example.test"),
        ("recipient.unknown", "user:ben@example.test"),
        ("recipient.unknown", "user:dan@example.test"),
    ]


def test_a_daemon_tells_of_itself(followed, command):
    """Once, also where each message is put off for it and nobody counts the notices."""
    log = followed.policyd.log
    followed.config.options["store-failure"] = "defer"
    followed.policyd.reload()
    log.wait(event="reloaded", seconds=30)
    followed.redis.kill()
    try:
        line = log.wait(event="notify", cause="self.store-down", seconds=30)
        assert line["subject"] == "sluice-policyd@mx.example.test"
        wait.poll(lambda: "self.store-down sluice-policyd@mx.example.test\n" in output(command), 30, "the command")
        with policy.Client(followed.policy_socket) as client:
            said = [client.message(f"A{number}")[-1] for number in range(3)]
        assert all(words.startswith("451 4.3.0 ") for words in said), said
    finally:
        followed.redis.start()
    log.wait(cause="self.store-down", state="up", seconds=30)
    assert [each["subject"] for each in log.events(event="notify")] == ["sluice-policyd@mx.example.test"]
