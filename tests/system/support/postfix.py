# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix: own configuration, queue, data and log; never the system's."""

import json
import os
import subprocess

from . import credentials, ports, postfix_config, preload, process, wait, workdir

MASTER = "/usr/lib/postfix/sbin/master"

# How the two listeners differ when a test says nothing else: mail from the world, and mail from our
# users.
SUBMISSION_OPTIONS = {
    "syslog_name": "postfix/submission",
    "smtpd_sasl_auth_enable": "yes",
    "smtpd_relay_restrictions": "permit_sasl_authenticated, reject",
    "milter_macro_daemon_name": "ORIGINATING",
}


class Postfix(process.Server):
    """Relays all mail to `relay_port`; takes it at smtp_port and, from logins, at submission_port.

    settings: main.cf lines that are added or replaced; submission: the same for the submission
    service alone; resolver_port: where a name server answers, on loopback, to look up the domains
    that a transport names.
    """

    def __init__(
        self,
        folder,
        relay_port,
        users=None,
        settings=None,
        submission=None,
        hostname="mx.example.test",
        local_domains=("example.test",),
        long_queue_ids=True,
        outlive=False,
        resolver_port=None,
    ):
        self.folder = workdir.subfolder(folder, "postfix")
        self.config = workdir.subfolder(self.folder, "etc")
        self.queue = self.folder / "queue"
        self.data = workdir.subfolder(self.folder, "data", owner="postfix", mode=0o700)
        self.log = self.folder / "mail.log"
        self.hostname = hostname
        self.local_domains = tuple(local_domains)
        self.relay_port = relay_port
        self.long_queue_ids = long_queue_ids
        self.smtp_port = ports.free_port()
        self.submission_port = ports.free_port()
        self.certificate = credentials.Certificate(self.folder, hostname)
        # Debian's smtpd looks in the folder sasl beside main.cf, whatever cyrus_sasl_config_path
        # says.
        self.users = credentials.SaslUsers(self.config, "smtpd", self.local_domains[0], users or {})
        self._settings = dict(settings or {})
        self._submission = {**SUBMISSION_OPTIONS, **(submission or {})}
        self._outlive = outlive
        self._env = self._resolver(resolver_port) if resolver_port else {}

    def _resolver(self, port):
        env = {**preload.environment(self.folder, "resolver"), "RESOLVER_PORT": port}
        self._settings = {
            "smtp_dns_support_level": "enabled",
            "smtp_host_lookup": "dns",
            "import_environment": " ".join(["MAIL_CONFIG", "LANG=C", *env]),
            **self._settings,
        }
        return env

    def _write_config(self):
        logins = postfix_config.login_settings(self.certificate, self.users)
        settings = {**postfix_config.base_settings(self), **logins, **self._settings}
        main_cf = self.config / "main.cf"
        main_cf.write_text(postfix_config.main_cf(settings))
        # Postfix waits until a file is older than a second, lest somebody is still writing it.
        os.utime(main_cf, (main_cf.stat().st_mtime - 60,) * 2)
        master = postfix_config.master_cf(self.smtp_port, self.submission_port, self._submission)
        (self.config / "master.cf").write_text(master)

    def start(self):
        self._write_config()
        postfix_config.create_queue(self.queue)
        self._process = process.Process(
            "postfix", [MASTER, "-c", self.config], self.folder, self._env, self._outlive
        )
        self._process.start().wait_ready(
            lambda: ports.listens(self.smtp_port) and ports.listens(self.submission_port)
        )
        return self

    def command(self, name, *words, text=None):
        """Run one of Postfix' commands on this instance; returns its standard output."""
        argv = [name, "-c", str(self.config), *[str(word) for word in words]]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(
                f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def check(self):
        """What `postfix check` has to complain about; nothing, one hopes."""
        argv = ["postfix", "-c", str(self.config), "check"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def submit(self, sender, recipients, text):
        """Local submission, as sendmail(1) does for cron and scripts; needs root, as the folder is
        not the default.
        """
        argv = ["sendmail", "-C", str(self.config), "-i", "-f", sender, "--", *recipients]
        done = subprocess.run(argv, input=text, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stderr}")

    def queued(self):
        """What is in the queue, one dict per message: queue_name, queue_id, sender, recipients."""
        return [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]

    def wait_queue_empty(self, seconds=wait.SECONDS):
        wait.poll(lambda: not self.queued(), seconds, "empty mail queue", self.describe)

    def flush(self):
        """Try deferred mail again now."""
        self.command("postqueue", "-f")

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_log(self, text, seconds=wait.SECONDS):
        """Wait for a line of the mail log that contains the text, and return it."""

        def find():
            return next((line for line in self.log_text().splitlines() if text in line), None)

        return wait.poll(find, seconds, f"{text!r} in {self.log}", self.describe)

    def describe(self):
        return process.tail(self.log)
