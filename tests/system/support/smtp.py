# SPDX-License-Identifier: BSD-2-Clause
"""Sending mail as clients do, and keeping every reply for the test to look at."""

import dataclasses
import email.message
import email.utils
import smtplib
import ssl
import uuid

from . import ports


@dataclasses.dataclass(frozen=True)
class Reply:
    """What the server said to one command."""

    code: int
    text: str

    def __str__(self):
        return f"{self.code} {self.text}"

    @property
    def ok(self):
        return 200 <= self.code < 400


def _reply(pair):
    code, text = pair
    return Reply(code, text.decode("utf-8", errors="replace"))


@dataclasses.dataclass
class Outcome:
    """The replies of one transaction; a step that was not reached is None."""

    mail: Reply = None
    rcpt: dict = dataclasses.field(default_factory=dict)
    data: Reply = None

    @property
    def accepted(self):
        return self.data is not None and self.data.ok

    @property
    def queue_id(self):
        """From Postfix' "Ok: queued as ID" or Sendmail's "ID Message accepted for delivery"."""
        if not self.accepted:
            return None
        _, postfix, queue_id = self.data.text.partition("queued as ")
        return queue_id.strip() if postfix else self.data.text.split()[1]

    @property
    def refusal(self):
        """The first reply that was not a success."""
        replies = [self.mail, *self.rcpt.values(), self.data]
        return next((reply for reply in replies if reply is not None and not reply.ok), None)


def message(sender, recipients, subject=None, body="Hello.\n", **headers):
    """A plain message; headers are added, or replaced by name with _ for - (None leaves one out).
    """
    mail = email.message.EmailMessage()
    fields = {
        "From": sender,
        "To": ", ".join(recipients),
        "Subject": subject or uuid.uuid4().hex,
        "Date": email.utils.formatdate(),
        "Message-ID": f"<{uuid.uuid4().hex}@{sender.rpartition('@')[2] or 'invalid'}>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in fields.items():
        if value is not None:
            mail[name] = value
    mail.set_content(body)
    return mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))


def trusting_context():
    """TLS with any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client:
    """One SMTP connection to a loopback port; use as a context manager.

    login: (name, password), sent after STARTTLS. xclient: attributes for pose(); a LOGIN counts
    under TLS only.  context: of the TLS, where it is not to be the usual one.
    """

    def __init__(
        self,
        port,
        helo="client.example.net",
        login=None,
        tls=False,
        xclient=None,
        source=None,
        context=None,
    ):
        address = (source, 0) if source else None
        self._smtp = smtplib.SMTP(
            ports.LOOPBACK, port, local_hostname=helo, timeout=120, source_address=address
        )
        self._smtp.ehlo()
        if tls or login or "LOGIN" in (xclient or {}):
            self._must(self._smtp.starttls(context=context or trusting_context()), 220)
            self._smtp.ehlo()
        if login:
            self._smtp.login(*login)
        if xclient:
            self.pose(**xclient)

    def pose(self, **attributes):
        """Postfix' XCLIENT: be another client from now on, pose(ADDR="203.0.113.7",
        LOGIN="alice@example.test").
        """
        words = " ".join(f"{name}={value}" for name, value in attributes.items())
        self._must(self._smtp.docmd("XCLIENT", words), 220)
        self._smtp.ehlo()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @staticmethod
    def _must(pair, code):
        if pair[0] != code:
            raise AssertionError(f"SMTP server said {_reply(pair)}")

    @property
    def extensions(self):
        return self._smtp.esmtp_features

    def close(self):
        try:
            self._smtp.quit()
        except (smtplib.SMTPException, OSError):
            self._smtp.close()

    def command(self, verb, argument=""):
        """Any command, any reply."""
        return _reply(self._smtp.docmd(verb, argument))

    def finish_data(self, data):
        """The message after a DATA that was agreed to; returns the final reply."""
        self._smtp.send(data + b"\r\n.\r\n")
        return _reply(self._smtp.getreply())

    def hang_up(self):
        """Break the connection, as a client that crashes does."""
        self._smtp.close()

    def send(self, sender, recipients, data=None, options=(), **fields):
        """One transaction; the recipients that were refused are left out, and without any there is
        no DATA.
        """
        outcome = Outcome(mail=_reply(self._smtp.mail(sender, list(options))))
        if outcome.mail.ok:
            for recipient in recipients:
                outcome.rcpt[recipient] = _reply(self._smtp.rcpt(recipient))
        if not any(reply.ok for reply in outcome.rcpt.values()):
            self._smtp.rset()
            return outcome
        try:
            outcome.data = _reply(self._smtp.data(data or message(sender, recipients, **fields)))
        except smtplib.SMTPDataError as refused:
            outcome.data = _reply((refused.smtp_code, refused.smtp_error))
        if not outcome.data.ok:
            self._smtp.rset()
        return outcome


def send(port, sender, recipients, data=None, login=None, tls=False, xclient=None, **fields):
    """One message over a connection of its own."""
    with Client(port, login=login, tls=tls, xclient=xclient) as client:
        return client.send(sender, recipients, data, **fields)
