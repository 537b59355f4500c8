# SPDX-License-Identifier: BSD-2-Clause
"""A whole mail site in one folder: name server, Redis, both daemons, an MTA and the sink where its
mail ends.
"""

from . import credentials, nameserver, postfix, redis, sendmail, sink, sluice, smtp, workdir

DOMAIN = "example.test"
HOSTNAME = f"mx.{DOMAIN}"
SELECTOR = "s1"
USERS = {"alice": "alice's password", "bob": "bob's password"}

# The rest of the world: domains to send to, and each way in which that can be impossible.
WORLD = {
    "example.net": "@ IN MX 10 mx\nmx IN A 203.0.113.25\n",
    "address.test": "@ IN A 203.0.113.25\n",
    "nullmx.test": "@ IN MX 0 .\n",
    "nothing.test": '@ IN TXT "no address and no MX"\n',
    "cname.test": "@ IN MX 10 alias\nalias IN CNAME mx.example.net.\n",
    "broken.test": None,
    "127.in-addr.arpa": f"1.0.0 IN PTR {HOSTNAME}.\n",  # where our mail comes from, to the world
}


def own_zone(key_record):
    """The records of our own domain, with its DKIM key."""
    return (
        "@ IN MX 10 mx\nmx IN A 127.0.0.1\n"
        '@ IN TXT "v=spf1 ip4:127.0.0.1 -all"\n'
        '_dmarc IN TXT "v=DMARC1; p=reject"\n'
        f"{SELECTOR}._domainkey IN TXT {nameserver.rdata_text(key_record)}\n"
    )


def postfix_settings(policy_socket, milter_socket, failure="tempfail"):
    """The main.cf lines by which Postfix asks both daemons; empty for a daemon that is None."""
    settings = {}
    if policy_socket is not None:
        # tempfail: a service that is away must fail the test. The documentation recommends DUNNO.
        default = "defer" if failure == "tempfail" else "DUNNO"
        where = f"unix:{policy_socket}, timeout=100s, default_action={default}"
        service = f"check_policy_service {{ {where} }}"
        settings["smtpd_recipient_restrictions"] = service
        settings["smtpd_end_of_data_restrictions"] = service
    if milter_socket is not None:
        settings["smtpd_milters"] = f"unix:{milter_socket}"
        settings["non_smtpd_milters"] = f"unix:{milter_socket}"
        settings["milter_default_action"] = failure
    return settings


class Site:
    """Not started until start(); every part is an attribute and can be stopped by itself.

    options and sections go to sluice.conf, zones to the name server, settings and submission to
    Postfix, extra to sendmail.mc; parts are the daemons to run; mta is "postfix", "sendmail", or
    "none" for a site that a test asks itself; store is what support/redis.py takes; without
    resolver there is nobody to answer DNS questions; env goes to the daemons; with lookups Postfix
    asks the site's name server too.
    """

    def __init__(
        self,
        folder=None,
        options=None,
        sections="",
        zones=None,
        users=None,
        settings=None,
        submission=None,
        extra="",
        parts=sluice.DAEMONS,
        mta="postfix",
        key=None,
        durable=False,
        outlive=False,
        label="t",
        store=None,
        resolver=True,
        env=None,
        lookups=False,
        ttl=1,
    ):
        self.folder = folder or workdir.create(label)
        self.users = USERS if users is None else users
        self.key = key or credentials.DkimKey(self.folder, DOMAIN)
        self.redis = redis.Redis(self.folder, durable=durable, outlive=outlive, **(store or {}))
        self.dns = nameserver.NameServer(
            self.folder,
            {DOMAIN: own_zone(self.key.record), **WORLD, **(zones or {})},
            outlive=outlive,
            ttl=ttl,
        )
        self.sink = sink.Sink(self.folder, outlive=outlive)
        self.policy_socket = self.folder / "policy.sock"
        self.milter_socket = self.folder / "milter.sock"
        self.config = sluice.Config(
            self.folder, {**self._base_options(), **(options or {})}, self._sign() + sections
        )
        self.policyd = sluice.Daemon(
            "sluice-policyd",
            self.folder,
            self.config,
            [self.policy_socket],
            outlive=outlive,
            env=env,
        )
        self.milter = sluice.Daemon(
            "sluice-milter",
            self.folder,
            self.config,
            [self.milter_socket],
            outlive=outlive,
            env=env,
        )
        self.ctl = sluice.Ctl(self.config)
        self.daemons = [daemon for daemon in (self.policyd, self.milter) if daemon.name in parts]
        self._world = [self.dns] if resolver else []
        self.mta = None
        if mta != "none":
            self.mta = self._make_mta(mta, settings, submission, extra, outlive, lookups)

    def _base_options(self):
        state = workdir.subfolder(self.folder, "state")
        return {
            "mode": "enforce",
            "hostname": HOSTNAME,
            "local-domains": f'{{"{DOMAIN}"}}',
            "outgoing-addresses": '{"127.0.0.1"}',
            "store": f'"unix:{self.redis.socket}"',
            # Longer than a machine that is busy makes a Redis wait that is there.
            "store-timeout": "3s",
            "dns-timeout": "6s",
            "resolver": f'{{"{self.dns.resolver}"}}',
            "state-directory": f'"{state}"',
            "policy-listen": f'{{"unix:{self.policy_socket}"}}',
            "policy-socket-group": "postfix",
            "milter-listen": f'{{"unix:{self.milter_socket}"}}',
            "milter-socket-group": "postfix",
        }

    def _sign(self):
        return f'sign {DOMAIN} {{ selector = {SELECTOR}  key = "{self.key.private}" }}\n'

    def _make_mta(self, mta, settings, submission, extra, outlive, lookups):
        policy = self.policy_socket if self.policyd in self.daemons else None
        milter = self.milter_socket if self.milter in self.daemons else None
        if mta == "sendmail":
            line = sendmail.milter_line(milter) if milter else ""
            return sendmail.Sendmail(self.folder, self.sink.port, self.users, extra=line + extra)
        wiring = {**postfix_settings(policy, milter), **(settings or {})}
        return postfix.Postfix(
            self.folder,
            self.sink.port,
            self.users,
            settings=wiring,
            submission=submission,
            outlive=outlive,
            resolver_port=self.dns.port if lookups else None,
        )

    @property
    def servers(self):
        """Everything that runs, in the order in which it is started."""
        mail = [self.sink, *self.daemons, self.mta] if self.mta else self.daemons
        return [self.redis, *self._world, *mail]

    def start(self):
        for server in self.servers:
            server.start()
        return self

    def stop(self):
        """Stop all parts, the last one first; what went wrong is raised after everything is
        stopped.
        """
        problems = []
        for server in reversed(self.servers):
            try:
                server.stop()
            except AssertionError as problem:
                problems.append(str(problem))
        if problems:
            raise AssertionError("\n".join(problems))

    def remove(self):
        workdir.remove(self.folder)

    def client(self, login=None, **options):
        """An SMTP connection for one of our users (by name), or for the world."""
        if login is None:
            return smtp.Client(self.mta.smtp_port, **options)
        port = getattr(self.mta, "submission_port", self.mta.smtp_port)
        return smtp.Client(port, login=self.mta.users.login(login), **options)

    def send(self, login, recipients, sender=None, data=None, **fields):
        """One message from a user over a connection of its own; the sender is the login's address
        by default.
        """
        with self.client(login) as client:
            return client.send(sender or f"{login}@{DOMAIN}", recipients, data, **fields)

    def forget_mail(self):
        """What was sent so far has left, and is not at the sink any more."""
        self.mta.wait_queue_empty()
        self.sink.clear()

    def processes(self):
        return [process for server in self.servers for process in server.processes()]

    def describe(self):
        """The ends of all logs, for a failure."""
        return "\n".join(server.describe() for server in self.servers)
