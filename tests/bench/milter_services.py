# SPDX-License-Identifier: BSD-2-Clause
"""What tests/bench/milter measures: each milter started as its users would, and how it is loaded."""

import os
import pathlib
import re
import shutil
import subprocess

import policy_services
from support import credentials, nameserver, ports, process, redis, workdir

DOMAIN = "example.com"
SELECTOR = "bench"

# Every check at its default.
SLUICE_CONF = policy_services.LIMITS + """\
mode = enforce
hostname = mx.example.com
local-domains = {{"example.com"}}
store = "unix:{redis}"
state-directory = ""
resolver = {{"{resolver}"}}
milter-listen = {{"{listen}"}}
milter-socket-mode = 0666
policy-listen = {{"unix:{folder}/policy.sock"}}
policy-socket-mode = 0666
log = "file:{folder}/log"
sign example.com {{ selector = {selector}  key = "{key}" }}
"""

OPENDKIM_CONF = """\
Syslog no
Mode s
Canonicalization relaxed/relaxed
InternalHosts {folder}/hosts
Domain example.com
Selector {selector}
KeyFile {key}
SignatureAlgorithm {algorithm}
RequireSafeKeys no
AutoRestart no
Background no
UMask 000
"""

# It only signs, in one process; no module but the one for that.
RSPAMD_CONF = """\
options {{
    rrd = ""
    history_file = ""
    control_socket = "{folder}/control.sock"
    hs_cache_dir = "{folder}"
    tempdir = "{folder}"
    url_tld = "{folder}/suffixes"
    filters = "dkim"
    local_addrs = ["127.0.0.0/8"]
    dns {{ nameserver = ["127.0.0.1:9"] }}
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}
worker "rspamd_proxy" {{
    bind_socket = "{listen}"
    milter = yes
    count = 1
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
modules {{ path = "/usr/share/rspamd/plugins/dkim_signing.lua" }}
actions {{ reject = 1000; add_header = 900; greylist = 800; }}
dkim_signing {{
    allow_username_mismatch = true
    use_domain = "header"
    domain {{ example.com {{ path = "{key}"; selector = "{selector}"; }} }}
}}
"""

ALGORITHMS = {"rsa": "rsa-sha256", "ed25519": "ed25519-sha256"}


class World:
    """What all share: keys, a name server with their records, and the bare price of a signature."""

    def __init__(self, folder):
        self.keys = {
            "rsa": credentials.DkimKey(workdir.subfolder(folder, "rsa"), SELECTOR),
            "ed25519": credentials.DkimKey(workdir.subfolder(folder, "ed"), SELECTOR, "ed25519"),
        }
        self.folder = folder
        self.dns = nameserver.NameServer(folder, {"example.com": self._zone(), "example.net": self._zone()})

    def _zone(self):
        # nothing to complain of: a message is to cost what ordinary mail does
        lines = ["@ 600 IN MX 10 mx", "mx 600 IN A 192.0.2.25", '@ 600 IN TXT "v=spf1 ip4:127.0.0.1 -all"']
        lines += ['_dmarc 600 IN TXT "v=DMARC1; p=reject"']
        for kind, key in self.keys.items():
            lines.append(f"{SELECTOR}{kind}._domainkey 600 IN TXT {nameserver.rdata_text(key.record)}")
        return "".join(f"{line}\n" for line in lines)

    def start(self):
        self.dns.start()
        return self

    def stop(self):
        self.dns.stop()


def signature_us():
    """Processor time of one signature by libcrypto alone: {"rsa": ..., "ed25519": ...}."""
    words = ["openssl", "speed", "-seconds", "1", "rsa2048", "ed25519"]
    printed = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    rates = {
        "rsa": re.search(r"^rsa 2048 bits +\S+ +\S+ +([\d.]+)", printed, re.M),
        "ed25519": re.search(r"\(Ed25519\) +\S+ +\S+ +([\d.]+)", printed),
    }
    return {kind: 1e6 / float(found[1]) for kind, found in rates.items()}


class Milter(policy_services.Service):
    """A milter on a unix or an inet socket, signing with a key of a kind (or not at all)."""

    signs = True

    def __init__(self, name, arguments, folder, world, kind="rsa", inet=False):
        super().__init__(f"{name}, inet" if inet else name, arguments, folder)
        self.world, self.kind = world, kind
        self.socket = self.folder / "milter.sock"
        self._port = ports.free_port() if inet else None

    @property
    def server(self):
        return f"inet:127.0.0.1:{self._port}" if self._port else f"unix:{self.socket}"

    @property
    def listen(self):
        """In libmilter's words."""
        return f"inet:{self._port}@127.0.0.1" if self._port else f"unix:{self.socket}"

    def is_ready(self):
        return ports.listens(self._port) if self._port else self.socket.exists() and ports.listens(self.socket)

    def load(self, connections, size):
        program = pathlib.Path(self.arguments.build) / "tests/bench/milterload"
        return policy_services.run_load(
            program, "-c", connections, "-s", size, "-u", self.arguments.users, "-t", self.arguments.seconds, self.server
        )  # fmt: skip

    def measure(self, connections, size=4096):
        before = policy_services.cpu_seconds(self.pid)
        result = self.load(connections, size)
        signed = result["messages"] if self.signs else 0
        if result["accepted"] != result["messages"] or result["signed"] != signed:
            raise AssertionError(f"{self.name}: not all were accepted, and signed as wanted: {result}")
        used = policy_services.cpu_seconds(self.pid) - before
        return {
            **{key: result[key] for key in ("rate", "p50", "p95", "p99")},
            "cpu_us": used / result["messages"] * 1e6,
            "rss_mib": policy_services.memory_mib(self.pid),
        }


class Null(Milter):
    """Our own ceiling: a header that looks like a signature, without any work."""

    def command(self):
        return [pathlib.Path(self.arguments.build) / "tests/bench/nullmilter", self.listen]


class NullBoth(Null):
    """The ceiling of what signs, with a policy service: a null milter that makes the bare signature, and a null service."""

    def command(self):
        return [*super().command(), self.world.keys[self.kind].private]

    def start(self):
        super().start()
        self._service = policy_services.Null("service", self.arguments, self.folder).start()
        return self

    @property
    def policy_socket(self):
        return self._service.socket


class Sluice(Milter):
    """sluice-milter: signing, four limits in a private Redis, all preflight on."""

    subject = "user"

    def command(self):
        self.redis = redis.Redis(self.folder).start()
        self.conf = self.folder / "sluice.conf"
        self.conf.write_text(
            SLUICE_CONF.format(
                redis=self.redis.socket, resolver=self.world.dns.resolver, listen=self.server, folder=self.folder,
                subject=self.subject, selector=SELECTOR + self.kind, key=self.world.keys[self.kind].private,
            )
        )  # fmt: skip
        return [pathlib.Path(self.arguments.build) / "sluice-milter", "-c", self.conf]

    def measure(self, connections, size=4096):
        os.truncate(self.folder / "log", 0)
        return super().measure(connections, size)


class SluiceCharge(Sluice):
    """The charge path: the same without a key."""

    signs = False

    def command(self):
        command = super().command()
        lines = self.conf.read_text().splitlines(keepends=True)
        self.conf.write_text("".join(line for line in lines if not line.startswith("sign ")))
        return command


class SluiceBoth(Sluice):
    """The same for smtp-source, which has no login, with sluice-policyd beside it."""

    subject = "sender"

    def start(self):
        super().start()
        command = [pathlib.Path(self.arguments.build) / "sluice-policyd", "-c", self.conf]
        self._policyd = process.Process("policyd", command, workdir.subfolder(self.folder, "policyd"))
        self._policyd.start().wait_ready(lambda: ports.listens(self.policy_socket))
        return self

    @property
    def policy_socket(self):
        return self.folder / "policy.sock"


class OpenDkim(Milter):
    """Debian's opendkim, which only signs."""

    def missing(self):
        return None if shutil.which("opendkim") else "opendkim is not installed"

    def command(self):
        conf = self.folder / "opendkim.conf"
        (self.folder / "hosts").write_text("127.0.0.1\n")
        conf.write_text(
            OPENDKIM_CONF.format(
                folder=self.folder, selector=SELECTOR + self.kind, key=self.world.keys[self.kind].private,
                algorithm=ALGORITHMS[self.kind],
            )
        )  # fmt: skip
        return ["opendkim", "-f", "-x", conf, "-p", self.listen.replace("unix:", "local:")]


class Rspamd(Milter):
    """Debian's rspamd, which only signs."""

    def missing(self):
        return None if shutil.which("rspamd") else "rspamd is not installed"

    def command(self):
        conf = self.folder / "rspamd.conf"
        (self.folder / "suffixes").write_text("com\nnet\n")  # the usual thousands take it minutes to compile
        listen = f"127.0.0.1:{self._port}" if self._port else f"{self.socket} mode=0666"
        conf.write_text(
            RSPAMD_CONF.format(
                folder=self.folder, listen=listen, selector=SELECTOR + self.kind, key=self.world.keys[self.kind].private
            )
        )
        return ["rspamd", "--no-fork", "--insecure", "--config", conf]


def all_rows(arguments, folder, world, inet):
    """The rows in the order in which they are measured; the first is what the others are a share of."""
    common = {"inet": inet}
    rows = [Null("null (ceiling)", arguments, folder, world, **common)]
    rows.append(SluiceCharge("sluice charge", arguments, folder, world, **common))
    rows.append(Rspamd("rspamd rsa", arguments, folder, world, **common))
    for kind in ("rsa", "ed25519"):
        rows.append(OpenDkim(f"opendkim {kind}", arguments, folder, world, kind, **common))
        rows.append(Sluice(f"sluice {kind}", arguments, folder, world, kind, **common))
    return rows
