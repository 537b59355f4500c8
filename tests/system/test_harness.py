# SPDX-License-Identifier: BSD-2-Clause
"""The servers of the system tests by themselves: what the other tests take for granted."""

import concurrent.futures
import smtplib

import dns.exception
import dns.message
import dns.query
import pytest

from support import logfile, nameserver, ports, process, recorder, resp, sendmail, smtp, wait

USERS = {"alice": "secret"}
OUTSIDE = {"ADDR": "203.0.113.7", "NAME": "client.example.net"}


class TestProcess:
    def test_failed_start_shows_the_output(self, folder):
        job = process.Process("broken", ["sh", "-c", "echo no such luck; exit 3"], folder).start()
        with pytest.raises(AssertionError, match="broken ended with 3(.|\n)*no such luck"):
            job.wait_ready(lambda: False)

    def test_stop_leaves_nothing_of_the_group(self, folder):
        script = "trap '' TERM; sleep 1000 & echo $!; wait; wait"
        job = process.Process("stubborn", ["sh", "-c", script], folder).start()
        child = int(wait.poll(job.output.read_text, what="the child's pid"))
        started = process.start_time(child)
        assert job.stop(seconds=0.2) == -9
        wait.poll(lambda: process.start_time(child) != started, what="the child gone")

    def test_a_process_is_known_by_its_start_time(self, folder):
        job = process.Process("sleeper", ["sleep", "1000"], folder).start()
        started = process.start_time(job.pid)
        assert not process.stop_identified(job.pid, started - 1)
        assert job.is_alive()
        assert process.stop_identified(job.pid, started)
        assert job.wait_exit() == -15

    def test_poll_gives_up(self):
        with pytest.raises(wait.Timeout, match="not within 0.05 s: pigs fly\nno wings"):
            wait.poll(lambda: False, 0.05, "pigs fly", lambda: "no wings")


class TestRedis:
    def test_durable_data_survive_a_crash(self, make_redis):
        server = make_redis(durable=True)
        with server.client() as client:
            assert client.call("HSET", "key", "field", "value", "empty", "") == 2
        server.kill()
        assert not ports.listens(server.socket)
        server.start()
        with server.client() as client:
            assert client.hash("key") == {"field": "value", "empty": ""}

    def test_password_and_acl(self, make_redis):
        server = make_redis(password="main", acl=["sluice on >other ~sluice:* +@all"])
        with resp.Client(server.port) as client, pytest.raises(resp.ReplyError, match="NOAUTH"):
            client.call("GET", "sluice:a")
        with server.client(user="sluice", password="other") as client:
            assert client.call("SET", "sluice:a", "1") == "OK"
            with pytest.raises(resp.ReplyError, match="NOPERM"):
                client.call("SET", "other:a", "1")

    def test_a_frozen_server_answers_after_the_thaw(self, make_redis):
        server = make_redis()
        with server.client(timeout=0.2) as client:
            server.freeze()
            client.send("PING")
            with pytest.raises(TimeoutError):
                client.receive()
        server.thaw()
        with server.client() as client:
            assert client.call("PING") == "PONG"


ZONES = {
    "example.test": "@ IN MX 10 mx\nmx IN A 127.0.0.1\nalias IN CNAME mx\n@ IN TXT "
    + nameserver.rdata_text("x" * 400)
    + "\n",
    "null.test": "@ IN MX 0 .\n",
    "cname.test": "@ IN MX 5 alias.example.test.\n",
    "broken.test": None,
}
ANSWERS = [
    ("address", "mx.example.test", "A", "NOERROR", "127.0.0.1"),
    ("mx", "example.test", "MX", "NOERROR", "10 mx.example.test."),
    ("null mx", "null.test", "MX", "NOERROR", "0 ."),
    ("mx is an alias", "cname.test", "MX", "NOERROR", "5 alias.example.test."),
    ("no data", "null.test", "A", "NOERROR", None),
    ("no name in a zone", "nobody.example.test", "A", "NXDOMAIN", None),
    ("no such domain", "example.com", "MX", "NXDOMAIN", None),
    ("no such top level", "nowhere.at.all.", "A", "NXDOMAIN", None),
    ("broken zone", "broken.test", "A", "SERVFAIL", None),
]


class TestNameServer:
    def test_answers(self, make_dns):
        server = make_dns(ZONES)
        for case, name, kind, rcode, want in ANSWERS:
            reply = server.query(name, kind)
            records = [record.to_text() for answer in reply.answer for record in answer]
            assert (server.rcode(name, kind), records) == (rcode, [want] if want else []), case

    def test_a_long_txt_is_one_value(self, make_dns):
        assert make_dns(ZONES).txt(b"example.test") == b"x" * 400

    def test_zone_changes_while_running(self, make_dns):
        server = make_dns(ZONES)
        server.set_zone("null.test", "@ IN MX 10 mx.example.test.\n")
        assert "10 mx.example.test." in server.query("null.test", "MX").to_text()
        server.set_zone("broken.test", "@ IN A 127.0.0.3\n")
        assert server.rcode("broken.test") == "NOERROR"

    def test_black_hole_takes_questions_and_is_silent(self, run):
        silent = run(nameserver.BlackHole())
        for kind in ("A", "MX"):
            with pytest.raises(dns.exception.Timeout):
                question = dns.message.make_query("example.test", kind)
                dns.query.udp(question, ports.LOOPBACK, port=silent.port, timeout=0.1)
        assert silent.questions() == 2
        assert ports.listens(silent.port)


class TestPostfix:
    def test_mail_from_the_world_reaches_the_sink(self, make_postfix, sink_server):
        mta = make_postfix()
        outcome = smtp.send(
            mta.smtp_port, "x@example.net", ["bob@example.test"], subject="in", xclient=OUTSIDE
        )
        assert outcome.accepted, outcome
        (mail,) = sink_server.wait_count(1)
        assert (mail.sender, mail.recipients) == ("x@example.net", ["bob@example.test"])
        assert mail.message["Subject"] == "in"
        assert "[203.0.113.7]" in mail.message["Received"]
        assert mta.wait_log(f"{outcome.queue_id}: removed")

    def test_the_world_may_not_relay(self, make_postfix):
        outcome = smtp.send(
            make_postfix().smtp_port, "x@example.net", ["y@example.org"], xclient=OUTSIDE
        )
        assert outcome.refusal.code == 454 and "Relay access denied" in outcome.refusal.text

    def test_submission_with_tls_and_login(self, make_postfix, sink_server):
        mta = make_postfix(users=USERS)
        to = ["b@example.net", "c@example.org"]
        outcome = smtp.send(
            mta.submission_port,
            "alice@example.test",
            to,
            login=mta.users.login("alice"),
            subject="out",
        )
        assert outcome.accepted, outcome
        mail = sink_server.wait_subject("out")
        assert mail.sender == "alice@example.test"
        mta.wait_log(
            f"{outcome.queue_id}: client=unknown[127.0.0.1], "
            "sasl_method=PLAIN, sasl_username=alice@example.test"
        )

    def test_submission_wants_tls_and_the_right_password(self, make_postfix):
        mta = make_postfix(users=USERS)
        with smtp.Client(mta.submission_port) as client:
            assert "starttls" in client.extensions and "auth" not in client.extensions
            assert client.send("alice@example.test", ["b@example.net"]).refusal.code == 554
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.Client(mta.submission_port, login=("alice@example.test", "wrong"))

    def test_one_connection_poses_as_many_users(self, make_postfix, sink_server):
        mta = make_postfix(users=USERS)
        logins = ["u1@example.test", "u2@example.test"]
        with smtp.Client(mta.submission_port, tls=True) as client:
            for login in logins:
                client.pose(ADDR="198.51.100.1", LOGIN=login)
                assert client.send(login, ["b@example.net"]).accepted
        sink_server.wait_count(2)
        for login in logins:
            mta.wait_log(
                f"client=unknown[198.51.100.1], sasl_method=XCLIENT, sasl_username={login}"
            )

    def test_local_submission(self, make_postfix, sink_server):
        make_postfix().submit("root@example.test", ["b@example.net"], "Subject: cron\n\n.\nhi\n")
        mail = sink_server.wait_subject("cron")
        assert mail.sender == "root@example.test"
        assert mail.data.endswith(b"\r\n\r\n.\r\nhi\r\n")

    def test_queue_holds_what_cannot_leave(self, make_postfix, sink_server):
        mta = make_postfix()
        smtp.send(mta.smtp_port, "x@example.net", ["bob@example.test"], subject="first")
        sink_server.wait_subject("first")
        sink_server.stop()
        outcome = smtp.send(mta.smtp_port, "x@example.net", ["bob@example.test"], subject="second")
        mta.wait_log("status=deferred")
        wait.poll(
            lambda: [entry["queue_id"] for entry in mta.queued()] == [outcome.queue_id],
            what="the message among those that wait",
        )
        sink_server.start()
        mta.flush()
        assert [mail.message["Subject"] for mail in sink_server.wait_count(2)] == [
            "first",
            "second",
        ]
        mta.wait_queue_empty()

    def test_short_queue_ids(self, make_postfix):
        mta = make_postfix(long_queue_ids=False)
        outcome = smtp.send(mta.smtp_port, "x@example.net", ["bob@example.test"])
        assert outcome.queue_id and set(outcome.queue_id) <= set("0123456789ABCDEF")

    def test_postfix_finds_nothing_wrong(self, make_postfix):
        mta = make_postfix(users=USERS)
        assert mta.check() == ""
        assert "warning" not in mta.log_text()

    def test_asks_policy_service_and_milter(self, make_postfix, run, folder):
        policy = run(recorder.PolicyService(folder / "policy.sock"))
        milter = run(recorder.Milter(folder / "milter.sock"))
        service = f"check_policy_service unix:{policy.path}"
        mta = make_postfix(
            users=USERS,
            settings={
                "smtpd_milters": f"unix:{milter.path}",
                "smtpd_recipient_restrictions": service,
                "smtpd_end_of_data_restrictions": service,
            },
        )
        login = mta.users.login("alice")
        outcome = smtp.send(
            mta.submission_port, "alice@example.test", ["b@example.net"], login=login
        )
        assert policy.wait_state("RCPT")["sasl_username"] == "alice@example.test"
        assert policy.wait_state("END-OF-MESSAGE")["queue_id"] == outcome.queue_id
        assert milter.wait_step("M").macros["{auth_authen}"] == "alice@example.test"
        assert milter.wait_step("E").macros["i"] == outcome.queue_id

    def test_hundreds_of_messages(self, make_postfix, sink_server):
        mta = make_postfix()

        def send_some(number):
            with smtp.Client(mta.smtp_port) as client:
                return [
                    client.send("x@example.net", [f"r{number}@example.test"]).accepted
                    for _ in range(50)
                ]

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            accepted = sum(map(sum, pool.map(send_some, range(8))))
        assert accepted == 400
        assert len({mail.message["Message-ID"] for mail in sink_server.wait_count(400)}) == 400
        mta.wait_queue_empty()


class TestSendmail:
    def test_delivers_without_a_milter(self, make_sendmail, sink_server):
        mta = make_sendmail()
        outcome = smtp.send(
            mta.smtp_port, "x@example.net", ["a@example.org", "b@example.org"], subject="plain"
        )
        assert outcome.accepted, outcome
        mail = sink_server.wait_subject("plain")
        assert mail.sender == "x@example.net"
        assert sorted(mail.recipients) == ["a@example.org", "b@example.org"]
        mta.wait_log(f"{outcome.queue_id}: from=<x@example.net>")
        mta.wait_queue_empty()

    def test_login_and_queue_id_reach_the_milter(self, make_sendmail, run, folder):
        milter = run(recorder.Milter(folder / "milter.sock"))
        mta = make_sendmail(users=USERS, extra=sendmail.milter_line(milter.path))
        login = mta.users.login("alice")
        outcome = smtp.send(mta.smtp_port, "alice@example.test", ["b@example.net"], login=login)
        assert outcome.accepted, outcome
        macros = milter.wait_step("M").macros
        assert macros["{auth_authen}"] == "alice@example.test"
        assert macros["i"] == outcome.queue_id
        milter.wait_step("E")

    def test_refuses_while_the_milter_is_away(self, make_sendmail, folder):
        mta = make_sendmail(extra=sendmail.milter_line(folder / "nobody.sock"))
        outcome = smtp.send(mta.smtp_port, "x@example.net", ["b@example.org"])
        assert outcome.refusal.code == 451

    def test_password_under_tls_only(self, make_sendmail):
        mta = make_sendmail(users=USERS)
        with smtp.Client(mta.smtp_port) as client:
            assert "starttls" in client.extensions and "auth" not in client.extensions
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.Client(mta.smtp_port, login=("alice@example.test", "wrong"))


FIELDS = [
    ("bare", "a=1 b-c=x/y", {"a": "1", "b-c": "x/y"}),
    ("quoted", 'a="x y" b="" c="="', {"a": "x y", "b": "", "c": "="}),
    ("escapes", r'a="\"\\\n\t\x07\007" b=2', {"a": '"\\\n\t\a\a', "b": "2"}),
    ("utf-8", 'a="zürich x"', {"a": "zürich x"}),
    ("bare word", "a=1 b", None),
    ("open quote", 'a="x', None),
    ("twice", "a=1 a=2", None),
    ("text after a quote", 'a="x"y', None),
]


class TestLogFile:
    @pytest.mark.parametrize(
        "text, want", [case[1:] for case in FIELDS], ids=[case[0] for case in FIELDS]
    )
    def test_fields(self, text, want):
        if want is None:
            with pytest.raises(ValueError):
                logfile.parse_fields(text)
        else:
            assert logfile.parse_fields(text) == want

    def test_lines_since_the_mark(self, folder):
        log = logfile.LogFile(folder / "log")
        assert log.events() == []
        head = "2026-11-21T10:00:00+00:00 mx sluice-milter[7]: "
        log.path.write_text(
            f"{head}Q1: event=message from=a@b\n{head}NOQUEUE: event=cause retry-after=5\nhalf a li"
        )
        assert [event["queue_id"] for event in log.events()] == ["Q1", "NOQUEUE"]
        assert log.wait(queue_id="Q1", from_="a@b")["program"] == "sluice-milter"
        assert log.events(retry_after=5)[0]["event"] == "cause"
        log.path.write_text(f"{head}Q1: event=message\n")
        log.mark()
        assert log.events() == []
        with open(log.path, "a") as file:
            file.write('{"queue_id": "Q2", "event": "message"}\n')
        assert log.events(event="message") == [{"queue_id": "Q2", "event": "message"}]
