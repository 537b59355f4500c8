# SPDX-License-Identifier: BSD-2-Clause
"""sluice-milter with a real Sendmail, which differs from Postfix in its macros, in when the queue
id is known, and in what it does to a message after its milters have seen it.
"""

import subprocess

import pytest

from support import signature


@pytest.fixture
def sendmail_site(site):
    """A site whose MTA is Sendmail."""
    return lambda **options: site(parts=("sluice-milter",), mta="sendmail", **options)


@pytest.fixture(scope="module")
def shared(module_site):
    """The same as it comes, for tests that need nothing else."""
    return module_site(parts=("sluice-milter",), mta="sendmail")


def message_line(place, queue_id, **wanted):
    return place.milter.log.wait(event="message", queue_id=queue_id, **wanted)


def _say(shell, line=None):
    """A line for an SMTP server on a pipe; returns its reply."""
    if line is not None:
        shell.stdin.write(line.replace("\n", "\r\n") + "\r\n")
        shell.stdin.flush()
    return shell.stdout.readline()


class TestSigning:
    def test_a_users_mail_is_signed(self, shared):
        place = shared
        outcome = place.send("alice", ["bob@example.net"], subject="signed")
        assert outcome.accepted, outcome
        delivered = place.sink.wait_subject("signed")
        signature.check(delivered, place.dns)
        line = message_line(place, outcome.queue_id)
        assert line["dkim"] == "signed:s1/example.test"
        assert (line["dir"], line["user"]) == ("out", "alice@example.test")
        assert line["verdict"] == "accept"

    def test_what_sendmail_adds_later_breaks_nothing(self, shared):
        place = shared
        outcome = place.send(
            "alice", ["bob@example.net"], subject="bare", Date=None, Message_ID=None
        )
        assert outcome.accepted, outcome
        delivered = place.sink.wait_subject("bare")
        assert delivered.message["Message-ID"] and delivered.message["Date"]
        signature.check(delivered, place.dns)

    @pytest.mark.parametrize(
        "name, fields",
        [
            ("folded", {"subject": "a very long subject " * 20}),
            ("blank lines", {"body": "\n\n \n\thello  \t\n\n\n\n"}),
            ("empty", {"body": ""}),
            ("long", {"body": "x" * 60 + "\n" * 3000}),
            ("dots", {"body": ".\n..\n.hidden\n"}),
        ],
        ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
    )
    def test_signatures_survive_sendmail(self, shared, name, fields):
        place = shared
        place.forget_mail()
        assert place.send("alice", ["bob@example.net"], **fields).accepted
        [delivered] = place.sink.wait_count(1)
        signature.check(delivered, place.dns)

    def test_mail_of_the_world_is_not_signed(self, sendmail_site):
        place = sendmail_site(options={"internal-networks": '{"192.0.2.0/24"}'})
        with place.client() as client:
            outcome = client.send("someone@example.net", ["alice@example.test"], subject="inbound")
        assert outcome.accepted, outcome
        assert signature.tags(place.sink.wait_subject("inbound")) is None
        line = message_line(place, outcome.queue_id)
        assert (line["dir"], line["dkim"]) == ("in", "none")


class TestRefusals:
    def test_a_recipient_is_refused_alone(self, shared):
        place = shared
        recipients = ["bob@example.net", "bob@absent.test", "carol@example.net"]
        outcome = place.send("alice", recipients, subject="two of three")
        assert outcome.accepted, outcome
        refused = outcome.rcpt["bob@absent.test"]
        assert refused.code == 550 and "[dns.recipient-domain]" in refused.text, refused
        assert message_line(place, outcome.queue_id, stage="end-of-message")["nrcpt"] == "2"
        # Sendmail knows the queue id from MAIL on
        line = message_line(place, outcome.queue_id, stage="rcpt")
        assert (line["rcpt"], line["verdict"]) == ("bob@absent.test", "reject")

    def test_a_sender_that_is_not_the_logins(self, shared):
        place = shared
        outcome = place.send("alice", ["bob@example.net"], sender="bob@example.test")
        refusal = outcome.refusal
        assert refusal.code == 553 and "[account.sender-mismatch]" in refusal.text, outcome

    def test_the_limit(self, sendmail_site):
        place = sendmail_site(
            sections="limit daily { subject = user  count = messages  max = 3  per = 1h }\n"
        )
        for number in range(3):
            outcome = place.send("alice", ["bob@example.net"])
            assert message_line(place, outcome.queue_id)["used"] == f"{number + 1}/3"
        refusal = place.send("alice", ["bob@example.net"]).refusal
        assert refusal.code == 450 and "[limit.messages]" in refusal.text, refusal

    def test_held_mail_waits_for_the_operator(self, sendmail_site):
        place = sendmail_site(sections="cause dns.recipient-domain { action = hold }\n")
        outcome = place.send("alice", ["bob@absent.test"], subject="held")
        assert outcome.accepted, outcome
        assert message_line(place, outcome.queue_id)["verdict"] == "hold"
        place.mta.wait_log("quarantine")
        assert place.sink.count() == 0

    def test_percent_signs_stay_what_they_are(self, sendmail_site):
        place = sendmail_site(options={"contact": '"100%d sure"'})
        refusal = place.send("alice", ["bob@absent.test"]).refusal
        assert "100%d sure" in refusal.text, refusal


class TestTransactions:
    def test_each_message_of_a_connection_by_itself(self, sendmail_site):
        place = sendmail_site()
        with place.client("alice") as client:
            for number in range(3):
                outcome = client.send(
                    "alice@example.test", ["bob@example.net"], subject=f"number {number}"
                )
                assert outcome.accepted, outcome
                assert message_line(place, outcome.queue_id)["nrcpt"] == "1"
                client.command("MAIL", "FROM:<alice@example.test>")
                client.command("RCPT", "TO:<carol@example.net>")
                client.command("RSET")
        for number in range(3):
            signature.check(place.sink.wait_subject(f"number {number}"), place.dns)
        assert len(place.milter.log.events(event="message")) == 3

    def test_local_submission(self, sendmail_site):
        """sendmail -bs speaks SMTP on its standard input: there is no client address."""
        place = sendmail_site(options={"internal-networks": '{"192.0.2.0/24"}'})
        argv = [str(place.mta.program), "-bs", "-C", str(place.mta.config)]
        pipe = subprocess.PIPE
        environment = place.mta._env
        with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, env=environment) as shell:
            replies = [_say(shell)]
            for line in (
                "HELO localhost",
                "MAIL FROM:<alice@example.test>",
                "RCPT TO:<bob@example.net>",
                "RCPT TO:<bob@absent.test>",
                "DATA",
                "From: alice@example.test\nTo: bob@example.net\nSubject: from cron\n\nHello.\n.",
                "QUIT",
            ):
                replies.append(_say(shell, line))
        assert [reply[:1] for reply in replies[:5]] == ["2"] * 5, replies
        line = place.milter.log.wait(event="message", stage="end-of-message")
        assert (line["dir"], line["nrcpt"]) == ("out", "2"), replies
        assert line["queue_id"] != "NOQUEUE"
        assert not place.milter.log.events(stage="rcpt")


def test_why(shared):
    """Sendmail names the recipients of one delivery in one line."""
    place = shared
    rcpts = ["why@example.net", "wherefore@example.net"]
    outcome = place.send("alice", rcpts, subject="why")
    place.mta.wait_log(f"{outcome.queue_id}: done")
    for rcpt in rcpts:
        done = place.ctl.run("why", rcpt, place.milter.log.path, place.mta.log)
        sentence = done.stdout.splitlines()[-2]
        assert f"{outcome.queue_id} of alice@example.test to {rcpt} was delivered at " in sentence
