# SPDX-License-Identifier: BSD-2-Clause
"""sluice-feedback on a log that the test writes itself."""

import collections
import datetime

from . import sluice, workdir

US = '{"example.test"}'


def time_text(seconds_ago=0):
    """A time as rsyslog writes it."""
    now = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return now.isoformat(timespec="microseconds")


class MailLog:
    """A log as Postfix writes it, which the test rotates."""

    def __init__(self, path):
        self.path = path
        self.path.touch()
        self._count = 0

    def write(self, text):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(text)

    def line(self, service, text, ago=0):
        self.write(f"{time_text(ago)} mx postfix/{service}[7]: {text}\n")

    def sender(self, queue_id, user, sender=None):
        self.line(
            "submission/smtpd",
            f"{queue_id}: client=c.example[192.0.2.1], sasl_method=PLAIN, sasl_username={user}",
        )
        self.line("qmgr", f"{queue_id}: from=<{sender or user}>, size=9, nrcpt=1 (queue active)")

    def delivery(self, queue_id, recipient, status, dsn, text, ip="192.0.2.9"):
        domain = recipient.rpartition("@")[2]
        relay = f"mx.{domain}[{ip}]:25"
        if status != "sent":
            text = f"host mx.{domain}[{ip}] said: {text} (in reply to RCPT TO command)"
        self.line(
            "smtp",
            f"{queue_id}: to=<{recipient}>, relay={relay}, delay=1, delays=0/0/1/0, dsn={dsn}, "
            f"status={status} ({text})",
        )

    def bounce(self):
        """One more bounce, of a queue id of its own, which is returned."""
        self._count += 1
        queue_id = f"A{self._count:09X}"
        self.delivery(
            queue_id, f"r{self._count}@example.net", "bounced", "5.1.1", "550 5.1.1 No such user"
        )
        return queue_id

    def rename(self, name):
        """As logrotate does without copytruncate, and the syslog daemon after its HUP."""
        target = self.path.with_name(name)
        self.path.rename(target)
        return target


class Feedback(sluice.Daemon):
    """Starts on `log` with a state folder of its own, and a store in memory unless it has one."""

    def __init__(self, folder, log, options=None, store="memory:"):
        self.mail = log
        self.state = state = workdir.subfolder(folder, "feedback-state")
        settings = {
            "store": f'"{store}"',
            "hostname": "mx.example.test",
            "local-domains": US,
            "state-directory": f'"{state}"',
            "mail-log": f'{{"{log.path}"}}',
            **(options or {}),
        }
        super().__init__("sluice-feedback", folder, sluice.Config(folder, settings), [])

    def deliveries(self, **wanted):
        return self.log.events(event="delivery", **wanted)

    def counts(self):
        """How often each queue id has a delivery line."""
        return collections.Counter(event["queue_id"] for event in self.deliveries())
