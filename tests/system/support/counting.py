# SPDX-License-Identifier: BSD-2-Clause
"""Messages that are counted, asked about as an MTA asks and without one; and what was counted."""

import dataclasses
import json
import statistics
import threading
import time

from . import milter, noise, policy

PAUSE_SEC = 0.004
SENDER = "alice@example.test"
RECIPIENT = "bob@example.net"
# For tests that are not about DNS, and have nobody who would answer.
NO_DNS = "".join(
    f"cause dns.{name} {{ action = ignore }}\n"
    for name in (
        "sender-domain",
        "sender-no-mail",
        "recipient-domain",
        "recipient-no-mail",
        "failure",
        "spf-missing",
        "spf-fail",
        "spf-broken",
        "dkim-missing",
        "dkim-mismatch",
        "dkim-weak",
        "dmarc-missing",
        "dmarc-broken",
        "unaligned",
        "mx-broken",
    )
)


def used(site, subject=f"user:{SENDER}", ctl=None):
    """{limit name: used} as sluicectl says it."""
    table = json.loads((ctl or site.ctl).run("limits", "--json", subject).stdout)
    return {row["limit"]: row["used"] for row in table["limits"] if "used" in row}


@dataclasses.dataclass(frozen=True)
class Answer:
    """What became of one message, how long its sender waited, and when it ended."""

    queue_id: str
    words: str
    seconds: float
    at: float = dataclasses.field(default_factory=time.monotonic)

    @property
    def accepted(self):
        return self.words == "DUNNO"


class Charger:
    """Asks the policy daemon about one message after the other: RCPT, then END-OF-MESSAGE.

    mta: the connection, for what goes beyond whole messages.
    """

    def __init__(self, endpoint, label="Q"):
        noise.start()
        self.mta = self._client = policy.Client(endpoint)
        self._label = label
        self._next = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._client.close()

    def message(self, user=SENDER, queue_id=None, **attributes):
        """One message with one recipient."""
        self._next += 1
        queue_id = queue_id or f"{self._label}{self._next}"
        before = time.monotonic()
        [*_, words] = self._client.message(
            queue_id, [RECIPIENT], sasl_username=user, sender=user, **attributes
        )
        return Answer(queue_id, words, time.monotonic() - before)

    def messages(self, count, **attributes):
        return [self.message(**attributes) for _ in range(count)]


class MilterCharger(Charger):
    """The same through the milter: one connection, whole messages."""

    def __init__(self, endpoint, label="M"):  # pylint: disable=super-init-not-called
        noise.start()
        self.mta = self._client = milter.Client(endpoint)
        self._client.connect()
        self._label = label
        self._next = 0

    def __exit__(self, *_):
        self._client.hang_up()

    def message(self, user=SENDER, queue_id=None, **_):
        self._next += 1
        queue_id = queue_id or f"{self._label}{self._next}"
        before = time.monotonic()
        reply = self._client.message(queue_id, user, [RECIPIENT], login=user)
        words = "DUNNO" if reply.passes else f"{reply.word} {reply.text}"
        return Answer(queue_id, words, time.monotonic() - before)


class Load:
    """Several senders at once in threads; a context manager. They pause between their messages, so
    that what is measured is not how busy the senders are.

    answers: what came of each message so far. chargers: functions that make one.
    """

    def __init__(self, chargers, **attributes):
        self.answers = []
        self._problems = []
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(each, attributes)) for each in chargers
        ]

    def _run(self, make, attributes):
        try:
            with make() as charger:
                while not self._stopping.wait(PAUSE_SEC):
                    self.answers.append(charger.message(**attributes))
        except (OSError, AssertionError) as problem:
            self._problems.append(problem)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self._problems, self._problems

    @property
    def accepted(self):
        return sum(answer.accepted for answer in self.answers)

    def since(self, count):
        """How long the senders waited, for the answers from that one on."""
        return [answer.seconds for answer in self.answers[count:]]

    def begun_after(self, moment):
        """The same for the messages that were begun later than that: none was on its way then."""
        return [each.seconds for each in self.answers if each.at - each.seconds > moment]


def assert_nobody_waits(seconds, most):
    """Most answers are there at once, and none takes so long."""
    assert statistics.median(seconds) < most / 4 + noise.late(), sorted(seconds)[-10:]
    noise.assert_within(seconds, most)
