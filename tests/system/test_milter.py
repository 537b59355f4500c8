# SPDX-License-Identifier: BSD-2-Clause
"""sluice-milter with a real Postfix: what is signed, what is refused, what the log says of it."""

import contextlib
import signal

import pytest

from support import proof, signature, smtp, wait

OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "client.example.net"}
MILTER_ONLY = ("sluice-milter",)
# Alice may also write as alice@example.net.
TWO_ADDRESSES = '{"equal", "inline:{alice@example.net=alice@example.test}"}'


@pytest.fixture
def postfix_site(site):
    """A site whose Postfix asks the milter alone."""
    return lambda **options: site(parts=MILTER_ONLY, **options)


@pytest.fixture(scope="module")
def shared(module_site):
    """The same as it comes, for tests that need nothing else."""
    return module_site(parts=MILTER_ONLY)


def message_line(place, queue_id, **wanted):
    return place.milter.log.wait(event="message", queue_id=queue_id, **wanted)


def begin_data(client):
    """A message of alice's up to its first octet."""
    client.command("MAIL", "FROM:<alice@example.test>")
    client.command("RCPT", "TO:<bob@example.net>")
    assert client.command("DATA").code == 354


def finish_data(client):
    """Its text; returns the final reply."""
    return client.finish_data(smtp.message("alice@example.test", ["bob@example.net"]))


class TestSigning:
    def test_a_users_mail_is_signed(self, shared):
        place = shared
        outcome = place.send("alice", ["bob@example.net"], subject="signed")
        assert outcome.accepted, outcome
        delivered = place.sink.wait_subject("signed")
        signature.check(delivered, place.dns)
        tags = signature.tags(delivered)
        assert (tags["d"], tags["s"], tags["c"]) == ("example.test", "s1", "relaxed/relaxed")
        assert "l" not in tags
        line = message_line(place, outcome.queue_id)
        assert line["dkim"] == "signed:s1/example.test"
        assert (line["dir"], line["user"]) == ("out", "alice@example.test")
        assert line["verdict"] == "accept"
        assert int(line["size"]) > 0

    @pytest.mark.parametrize(
        "name, fields",
        [
            ("folded", {"subject": "a very long subject " * 20}),
            ("many recipients", {"To": ", ".join(f"user{n}@example.net" for n in range(300))}),
            ("not ASCII", {"subject": "gr\u00fc\u00dfe", "body": "\u00fc" * 200 + "\n"}),
            ("blank lines", {"body": "\n\n \n\thello  \t\n\n\n\n"}),
            ("empty", {"body": ""}),
            ("long", {"body": "0123456789abcdef " * 4 + "\n" + "x" * 60 + "\n" * 3000}),
            ("dots", {"body": ".\n..\n.hidden\n"}),
            ("no Date and no Message-ID", {"Date": None, "Message_ID": None}),
        ],
        ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
    )
    def test_signatures_survive_postfix(self, shared, name, fields):
        place = shared
        place.forget_mail()
        outcome = place.send("alice", ["bob@example.net"], **fields)
        assert outcome.accepted, outcome
        [delivered] = place.sink.wait_count(1)
        signature.check(delivered, place.dns)

    def test_mail_of_the_world_is_not_signed(self, shared):
        place = shared
        with place.client(xclient=OUTSIDE) as client:
            outcome = client.send("someone@example.net", ["alice@example.test"], subject="inbound")
        assert outcome.accepted, outcome
        assert signature.tags(place.sink.wait_subject("inbound")) is None
        line = message_line(place, outcome.queue_id)
        assert (line["dir"], line["dkim"]) == ("in", "none")

    @pytest.mark.parametrize(
        "sender, reason",
        [
            ("alice@example.net", "no-key"),
            ("bob@example.test", "not-allowed"),
            ("alice@example.test, bob@example.test", "many-from"),
        ],
        ids=["foreign-domain", "another-users-address", "two-authors"],
    )
    def test_the_log_says_why_not(self, postfix_site, sender, reason):
        place = postfix_site(sections="cause account.sender-mismatch { action = log }\n")
        outcome = place.send("alice", ["bob@example.net"], From=sender, subject="unsigned")
        assert outcome.accepted, outcome
        assert signature.tags(place.sink.wait_subject("unsigned")) is None
        assert message_line(place, outcome.queue_id)["dkim"] == f"none:{reason}"

    def test_mail_that_comes_back_is_not_signed_again(self, postfix_site):
        place = postfix_site()
        place.send("alice", ["bob@example.net"], subject="first")
        delivered = place.sink.wait_subject("first")
        place.sink.clear()
        with place.client() as client:
            outcome = client.send("alice@example.test", ["bob@example.net"], delivered.data)
        assert outcome.accepted, outcome
        [again] = place.sink.wait_count(1)
        assert len(again.message.get_all("DKIM-Signature")) == 1
        signature.check(again, place.dns)
        assert message_line(place, outcome.queue_id)["dkim"] == "none:already-signed"

    @proof.provokes("self.key-unreadable")
    @proof.near_miss("self.key-unreadable")
    @pytest.mark.parametrize("failure", ["send", "defer"])
    def test_a_key_that_all_can_read(self, postfix_site, dkim_key, folder, failure):
        copy = folder / "open.pem"
        copy.write_bytes(dkim_key.private.read_bytes())
        copy.chmod(0o644)
        section = f'sign example.net {{ selector = s1  key = "{copy}" }}\n'
        place = postfix_site(
            options={"sign-failure": failure, "sender-login": TWO_ADDRESSES}, sections=section
        )
        cause = place.milter.log.wait(event="cause", cause="self.key-unreadable")
        assert (cause["domain"], cause["key"]) == ("example.net", str(copy))
        assert f"(mode 0644): chmod 0640 {copy}, " in cause["hint"]
        place.milter.log.mark()
        assert not place.milter.log.events(cause="self.key-unreadable", domain="example.test")
        outcome = place.send("alice", ["bob@example.net"], From="alice@example.net")
        if failure == "send":
            assert outcome.accepted, outcome
            assert message_line(place, outcome.queue_id)["dkim"] == "none:key-unreadable"
            of_message = place.milter.log.wait(queue_id=outcome.queue_id, cause="self.key-unreadable")
            assert of_message["hint"] == cause["hint"] and of_message["key"] == str(copy)
        else:
            assert outcome.data.code == 450, outcome
            assert "[self.key-unreadable]" in outcome.data.text


class TestRefusals:
    def test_a_recipient_is_refused_alone(self, shared):
        place = shared
        recipients = ["bob@example.net", "bob@absent.test", "carol@example.net"]
        outcome = place.send("alice", recipients, subject="two of three")
        assert outcome.accepted, outcome
        refused = outcome.rcpt["bob@absent.test"]
        assert refused.code == 550 and refused.text.startswith("5.1.2"), refused
        assert "[dns.recipient-domain]" in refused.text
        delivered = place.sink.wait_subject("two of three")
        assert sorted(delivered.recipients) == ["bob@example.net", "carol@example.net"]
        assert message_line(place, outcome.queue_id, stage="end-of-message")["nrcpt"] == "2"
        line = place.milter.log.wait(event="message", rcpt="bob@absent.test")
        assert (line["verdict"], line["causes"]) == ("reject", "dns.recipient-domain")

    def test_a_sender_that_is_not_the_logins(self, shared):
        place = shared
        outcome = place.send("alice", ["bob@example.net"], sender="bob@example.test")
        refusal = outcome.refusal
        assert refusal.code == 553 and "[account.sender-mismatch]" in refusal.text, outcome

    def test_a_from_that_is_not_the_logins(self, shared):
        place = shared
        outcome = place.send("alice", ["bob@example.net"], From="bob@example.test")
        assert outcome.data.code in (550, 553), outcome
        assert "[account.sender-mismatch]" in outcome.data.text

    def test_a_message_that_is_too_large(self, postfix_site):
        place = postfix_site(options={"max-message-size": "20000"})
        outcome = place.send("alice", ["bob@example.net"], body="x" * 70 + "\n" + "y\n" * 20000)
        assert outcome.refusal.code == 552 and "[content.size]" in outcome.refusal.text, outcome

    def test_bounces_are_not_refused(self, shared):
        place = shared
        with place.client(xclient=OUTSIDE) as client:
            outcome = client.send("", ["alice@example.test"], From="x@absent.test")
        assert outcome.accepted, outcome

    def test_observe_mode_refuses_nothing(self, postfix_site):
        place = postfix_site(options={"mode": "observe"})
        outcome = place.send("alice", ["bob@absent.test"], sender="bob@example.test")
        assert outcome.accepted, outcome
        line = message_line(place, outcome.queue_id)
        assert (line["verdict"], line["would"]) == ("accept", "reject")

    def test_warnings_become_headers(self, postfix_site):
        place = postfix_site(sections="cause dns.recipient-domain { action = warn }\n")
        outcome = place.send("alice", ["bob@absent.test"], subject="warned")
        assert outcome.accepted, outcome
        delivered = place.sink.wait_subject("warned")
        assert str(delivered.message["X-Sluice-Warning"]).startswith("[dns.recipient-domain] ")
        signature.check(delivered, place.dns)

    def test_held_mail_waits_for_the_operator(self, postfix_site):
        place = postfix_site(sections="cause dns.recipient-domain { action = hold }\n")
        outcome = place.send("alice", ["bob@absent.test"], subject="held")
        assert outcome.accepted, outcome
        assert message_line(place, outcome.queue_id)["verdict"] == "hold"
        [entry] = wait.poll(place.mta.queued, what="the held message")
        assert (entry["queue_name"], entry["queue_id"]) == ("hold", outcome.queue_id)
        place.mta.command("postsuper", "-H", outcome.queue_id)
        place.mta.flush()
        signature.check(place.sink.wait_subject("held"), place.dns)

    def test_percent_signs_stay_what_they_are(self, postfix_site):
        place = postfix_site(options={"contact": '"100%d sure"'})
        refusal = place.send("alice", ["bob@absent.test"]).refusal
        assert "100%d sure" in refusal.text, refusal


class TestTransactions:
    def test_each_message_of_a_connection_by_itself(self, postfix_site):
        place = postfix_site()
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

    def test_mail_from_sendmail(self, postfix_site):
        place = postfix_site(options={"internal-networks": '{"192.0.2.0/24"}'})
        text = "From: alice@example.test\nTo: bob@example.net\nSubject: from cron\n\nHello.\n"
        place.mta.submit("alice@example.test", ["bob@example.net"], text)
        delivered = place.sink.wait_subject("from cron")
        signature.check(delivered, place.dns)
        line = place.milter.log.wait(event="message")
        assert (line["dir"], line["dkim"]) == ("out", "signed:s1/example.test")
        assert line["queue_id"] != "NOQUEUE"

    def test_mail_from_sendmail_never_sticks(self, postfix_site):
        place = postfix_site()
        text = "From: alice@example.test\nTo: bob@absent.test\nSubject: to nowhere\n\nHello.\n"
        place.mta.submit("alice@example.test", ["bob@absent.test"], text)
        line = place.milter.log.wait(event="message", verdict="reject")
        assert line["stage"] == "end-of-message"
        bounce = place.sink.wait_count(1)[0]
        assert bounce.sender == "" and bounce.recipients == ["alice@example.test"]
        place.mta.wait_queue_empty()

    def test_requeued_mail_keeps_its_signature(self, postfix_site):
        place = postfix_site(sections="cause dns.recipient-domain { action = hold }\n")
        outcome = place.send("alice", ["bob@absent.test"], subject="requeued")
        assert message_line(place, outcome.queue_id)["verdict"] == "hold"
        place.mta.command("postsuper", "-H", outcome.queue_id)
        place.mta.command("postsuper", "-r", "ALL")
        delivered = place.sink.wait_subject("requeued")
        assert len(delivered.message.get_all("DKIM-Signature")) == 1
        signature.check(delivered, place.dns)


class TestCounting:
    LIMIT = "limit daily { subject = user  count = messages  max = 3  per = 1h }\n"

    def test_what_is_refused_costs_nothing(self, postfix_site):
        place = postfix_site(sections=self.LIMIT, options={"max-message-size": "20000"})
        large = "y\n" * 20000
        for _ in range(5):
            assert not place.send("alice", ["bob@example.net"], body=large).accepted
            assert not place.send("alice", ["bob@absent.test"]).accepted
        for number in range(3):
            outcome = place.send("alice", ["bob@example.net"])
            assert message_line(place, outcome.queue_id)["used"] == f"{number + 1}/3"
        refusal = place.send("alice", ["bob@example.net"]).refusal
        assert refusal.code == 450 and refusal.text.startswith("4.7.28"), refusal
        assert "[limit.messages]" in refusal.text
        assert place.send("bob", ["bob@example.net"]).accepted

    def test_what_the_policy_daemon_counted_is_counted_once(self, site):
        place = site(sections=self.LIMIT)
        for number in range(3):
            outcome = place.send("alice", ["bob@example.net"])
            assert message_line(place, outcome.queue_id)["used"] == f"{number + 1}/3"
        assert not place.send("alice", ["bob@example.net"]).accepted

    def test_a_message_that_dies_after_the_policy_daemon_counted_it(self, site, folder):
        service = f"check_policy_service unix:{folder}/policy.sock"
        place = site(sections=self.LIMIT, settings={"smtpd_data_restrictions": service})
        for _ in range(4):
            client = place.client("alice")
            begin_data(client)
            client.hang_up()
        place.milter.log.mark()

        def sends():
            outcome = place.send("alice", ["bob@example.net"])
            return outcome.accepted and message_line(place, outcome.queue_id)["used"]

        assert wait.poll(sends, what="room for a message").endswith("/3")

    def test_a_failure_to_sign_gives_back(self, postfix_site, folder, dkim_key):
        copy = folder / "open.pem"
        copy.write_bytes(dkim_key.private.read_bytes())
        copy.chmod(0o644)
        place = postfix_site(
            options={"sign-failure": "defer", "sender-login": TWO_ADDRESSES},
            sections=f'{self.LIMIT}sign example.net {{ selector = s1  key = "{copy}" }}\n',
        )
        for _ in range(5):
            outcome = place.send("alice", ["bob@example.net"], From="alice@example.net")
            assert outcome.data.code == 450, outcome
        outcome = place.send("alice", ["bob@example.net"])
        assert outcome.accepted, outcome
        assert message_line(place, outcome.queue_id)["used"] == "1/3"


class TestLife:
    def test_reload_changes_the_next_message(self, postfix_site):
        place = postfix_site()
        with place.client("alice") as client:
            assert client.send("alice@example.test", ["bob@example.net"]).accepted
            place.config.options["max-message-size"] = "1000"
            place.milter.reload()
            place.milter.log.wait(event="reloaded")
            outcome = client.send("alice@example.test", ["bob@example.net"], body="x\n" * 1000)
            assert outcome.data.code == 552, outcome
            assert client.send("alice@example.test", ["bob@example.net"]).accepted

    def test_a_bad_configuration_changes_nothing(self, postfix_site):
        place = postfix_site()
        place.config.options["max-message-sice"] = "1000"
        place.milter.reload()
        place.milter.log.wait(event="reload-failed")
        assert place.send("alice", ["bob@example.net"]).accepted
        del place.config.options["max-message-sice"]

    def test_signals_in_a_row(self, postfix_site):
        """A signal that comes while another is pending must not end up in libmilter's own hands."""
        place = postfix_site()
        place.milter.signal(signal.SIGSTOP)
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            place.milter.signal(number)
        place.milter.stop()
        assert place.milter.log.wait(event="stopped")
        place.milter.start()
        assert place.send("alice", ["bob@example.net"]).accepted

    def test_drain_finishes_the_messages_in_hand(self, postfix_site):
        place = postfix_site()
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(place.client("alice")) for _ in range(6)]
            for client in clients:
                begin_data(client)
            place.milter.signal(signal.SIGTERM)
            wait.poll(lambda: not place.milter_socket.exists(), what="the socket removed")
            assert place.milter.is_alive()
            assert [finish_data(client).code for client in clients] == [250] * len(clients)
            place.milter.stop()
            for delivered in place.sink.wait_count(len(clients)):
                signature.check(delivered, place.dns)
            outcome = clients[0].send("alice@example.test", ["bob@example.net"])
            assert outcome.refusal.code == 451, outcome
        place.milter.start()
        assert place.send("alice", ["bob@example.net"]).accepted

    def test_a_crash_loses_no_mail(self, postfix_site):
        place = postfix_site()
        with place.client("alice") as client:
            begin_data(client)
            place.milter.kill()
            assert finish_data(client).code == 451
        place.milter.start()  # the old socket is still there
        assert place.send("alice", ["bob@example.net"]).accepted
        assert len(place.sink.wait_count(1)) == 1
