# SPDX-License-Identifier: BSD-2-Clause
"""A private Sendmail whose sendmail.cf is made by m4 from sendmail.mc."""

import pathlib
import subprocess

from . import credentials, ports, process, sendmail_unpack, wait, workdir

TEMPLATE = pathlib.Path(__file__).with_name("sendmail.mc")

# Nothing is looked up in the DNS: names come from /etc/hosts, and the relay is an address.
SERVICE_SWITCH = "hosts files\naliases files\npasswd files\n"


def milter_line(endpoint, name="sluice", failure="T"):
    """The m4 line for a milter at a unix path or loopback port; failure T: temporary failure if it
    is away.
    """
    where = f"inet:{endpoint}@127.0.0.1" if isinstance(endpoint, int) else f"local:{endpoint}"
    return f"INPUT_MAIL_FILTER(`{name}', `S={where}, F={failure}, T=C:10s;S:30s;R:60s;E:5m')dnl\n"


class Sendmail(process.Server):
    """Takes mail at smtp_port, with STARTTLS and AUTH, and relays all of it to relay_port.

    extra: m4 lines put before the mailers, such as milter_line() or confMILTER_MACROS_*.
    """

    def __init__(
        self,
        folder,
        relay_port,
        users=None,
        extra="",
        hostname="mx.example.test",
        realm="example.test",
    ):
        self.root = sendmail_unpack.unpacked()
        self.folder = workdir.subfolder(folder, "sendmail")
        self.queue = workdir.subfolder(self.folder, "queue", mode=0o700)
        self.config = self.folder / "sendmail.cf"
        self.transcript = self.folder / "transcript"
        self.log = self.folder / "mail.log"
        self.hostname = hostname
        self.relay_port = relay_port
        self.smtp_port = ports.free_port()
        self.extra = extra
        self.certificate = credentials.Certificate(self.folder, hostname)
        self.users = credentials.SaslUsers(
            self.folder, "Sendmail", realm, users or {}, group="root"
        )
        self._env = {
            "LD_LIBRARY_PATH": sendmail_unpack.library_path(self.root),
            "LD_PRELOAD": sendmail_unpack.preload_library(),
            "SITE_HOSTNAME": hostname,
            "SITE_LOG": self.log,
        }

    @property
    def program(self):
        return self.root / sendmail_unpack.PROGRAM

    def _write_config(self):
        (self.folder / "service.switch").write_text(SERVICE_SWITCH)
        (self.folder / "statistics").touch()
        (self.folder / "relay-domains").write_text("127\n")
        (self.folder / "extra.m4").write_text(self.extra)
        names = {
            "_CF_DIR_": f"{self.root / sendmail_unpack.MACROS}/",
            "SITE_FOLDER": self.folder,
            "SITE_HOSTNAME": self.hostname,
            "SITE_PORT": self.smtp_port,
            "SITE_RELAY_PORT": self.relay_port,
            "SITE_REALM": self.users.realm,
            "SITE_TLS": self.certificate.folder,
            "SITE_CERT": self.certificate.cert,
            "SITE_KEY": self.certificate.key,
            "SITE_SASL": self.users.folder,
        }
        argv = ["m4", *[f"-D{name}={value}" for name, value in names.items()], str(TEMPLATE)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0 or done.stderr:
            raise AssertionError(f"m4: exit {done.returncode}\n{done.stderr}")
        self.config.write_text(done.stdout)

    def start(self):
        self._write_config()
        argv = [self.program, "-bD", "-q1s", "-C", self.config, "-X", self.transcript]
        self._process = process.Process("sendmail", argv, self.folder, env=self._env)
        self._process.start().wait_ready(lambda: ports.listens(self.smtp_port))
        return self

    def queued(self):
        """The names of the queue's control files, one per message that still waits."""
        return [path.name for path in self.queue.glob("[qh]f*")]

    def wait_queue_empty(self, seconds=wait.SECONDS):
        wait.poll(lambda: not self.queued(), seconds, "empty mail queue", self.describe)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_log(self, text, seconds=wait.SECONDS):
        """Wait for a line of the mail log that contains the text, and return it."""

        def find():
            return next((line for line in self.log_text().splitlines() if text in line), None)

        return wait.poll(find, seconds, f"{text!r} in {self.log}", self.describe)

    def describe(self):
        return f"{process.tail(self.log)}\n{super().describe()}"
