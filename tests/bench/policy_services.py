# SPDX-License-Identifier: BSD-2-Clause
"""What tests/bench/policy measures: each service started as its users would, and how it is loaded."""

import os
import pathlib
import shutil
import subprocess

import redis_call
from support import ports, process, redis, wait, workdir

TICKS = os.sysconf("SC_CLK_TCK")
TOP = pathlib.Path(__file__).resolve().parents[2]

# Four limits per user (or another subject) that nobody reaches.
LIMITS = """\
limit a {{ subject = {subject} count = messages max = 100000000 per = 1m }}
limit b {{ subject = {subject} count = messages max = 100000000 per = 1h }}
limit c {{ subject = {subject} count = messages max = 100000000 per = 24h }}
limit d {{ subject = {subject} count = recipients max = 100000000 per = 24h }}
"""

# Nothing that would ask the DNS.
SLUICE_CONF = LIMITS + """\
mode = enforce
hostname = mx.example.org
local-domains = {{"example.com"}}
store = "{store}"
state-directory = ""
resolver = {{"127.0.0.1@9"}}
policy-listen = {{"unix:{socket}"}}
policy-socket-mode = 0666
log = "file:{log}"
cause dns.sender-domain {{ action = ignore }}
cause dns.recipient-domain {{ action = ignore }}
cause dns.recipient-no-mail {{ action = ignore }}
cause dns.sender-no-mail {{ action = ignore }}
cause dns.failure {{ action = ignore }}
cause dns.mx-broken {{ action = ignore }}
"""

RATE_LIMIT_CONF = """\
debug: False
user: "{user}"
group: "{user}"
pidfile: "{folder}/policyd-rate-limit.pid"
backend: 0
sqlite_config:
    database: "{folder}/db.sqlite3"
SOCKET: "{socket}"
socket_permission: 0666
limits:
    - [100000000, 60]
    - [100000000, 3600]
    - [100000000, 86400]
    - [100000000, 604800]
limit_by_sasl: True
"""

POSTFWD_RULE = (
    "id=R{number}; sasl_username=~/.+/; action=rate(sasl_username/100000000/{seconds}/450 4.7.1 too many)\n"
)


def processes_of(pid):
    """A process and its children, as far down as there are any."""
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        for children in pathlib.Path(f"/proc/{found[-1]}/task").glob("*/children"):
            todo += [int(word) for word in children.read_text().split()]
    return found


def cpu_seconds(pid):
    total = 0
    for each in processes_of(pid):
        fields = pathlib.Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def memory_mib(pid):
    total = 0
    for each in processes_of(pid):
        lines = pathlib.Path(f"/proc/{each}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


def run_load(program, *words):
    """Run a load generator that prints name=value; its results as a dict of numbers."""
    argv = [str(program), *map(str, words)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    fields = dict(word.split("=", 1) for word in done.stdout.split())
    return {name: float(value) for name, value in fields.items() if name != "state"}


def policyload(build, *words):
    return run_load(pathlib.Path(build) / "tests/bench/policyload", *words)


class Service:
    """A policy service and one way to load it."""

    def __init__(self, name, arguments, folder, state="RCPT", same_as=None):
        self.name = name
        self.arguments = arguments
        self.folder = workdir.subfolder(folder, name.replace(" ", "-"))
        self.socket = self.folder / "policy.sock"
        self.state = state
        self._same_as = same_as  # another row that loads the same process
        self._process = None

    def missing(self):
        return None

    def command(self):
        raise NotImplementedError

    @property
    def server(self):
        return f"unix:{self.socket}"

    def is_ready(self):
        return self.socket.exists() and ports.listens(self.socket)

    @property
    def pid(self):
        return self._same_as.pid if self._same_as else self._process.pid

    def start(self):
        if self._same_as is None:
            self._process = process.Process("service", self.command(), self.folder)
            self._process.start().wait_ready(self.is_ready)
        return self

    def stop(self):
        """What process.stop_all() does not know of."""

    def load(self, connections):
        target = self._same_as.server if self._same_as else self.server
        arguments = self.arguments
        return policyload(
            arguments.build, "-c", connections, "-u", arguments.users, "-t", arguments.seconds, "-s", self.state, target
        )

    def measure(self, connections):
        before = cpu_seconds(self.pid)
        result = self.load(connections)
        if result["dunno"] != result["requests"]:
            raise AssertionError(f"{self.name}: not all answers were DUNNO: {result}")
        used = cpu_seconds(self.pid) - before
        return {
            **{key: result[key] for key in ("rate", "p50", "p95", "p99")},
            "cpu_us": used / result["requests"] * 1e6,
            "rss_mib": memory_mib(self.pid),
        }


class Null(Service):
    """Our own ceiling: no work at all."""

    def command(self):
        return [pathlib.Path(self.arguments.build) / "tests/bench/nullpolicy", self.server]


class OtherNull(Service):
    """Another project's ceiling, if its folder is given."""

    def missing(self):
        tools = self.arguments.tools
        return None if tools and (pathlib.Path(tools) / "nullpolicy").exists() else "no --tools with a nullpolicy"

    def command(self):
        return [pathlib.Path(self.arguments.tools) / "nullpolicy", "--listen", self.server]


class Sluice(Service):
    """sluice-policyd with four limits; store "redis" starts a private one."""

    def __init__(self, *positional, store="redis", subject="user", **named):
        super().__init__(*positional, **named)
        self._store = store
        self._subject = subject
        self.redis = None

    def command(self):
        store = "memory:"
        if self._store == "redis":
            self.redis = redis.Redis(self.folder).start()
            store = f"unix:{self.redis.socket}"
        conf = self.folder / "sluice.conf"
        conf.write_text(
            SLUICE_CONF.format(store=store, socket=self.socket, log=self.folder / "log", subject=self._subject)
        )
        return [pathlib.Path(self.arguments.build) / "sluice-policyd", "-c", conf]

    def measure(self, connections):
        os.truncate((self._same_as or self).folder / "log", 0)
        return super().measure(connections)


class OtherLoad(Service):
    """Another project's load on sluice-policyd, as an independent judge."""

    def missing(self):
        tools = self.arguments.tools
        return None if tools and (pathlib.Path(tools) / "policyload").exists() else "no --tools with a policyload"

    def load(self, connections):
        arguments = self.arguments
        program = pathlib.Path(arguments.tools) / "policyload"
        result = run_load(
            program, "--connect", self._same_as.server, "-c", connections, "-d", arguments.seconds, "-n", 10**9,
            "-u", arguments.users, "--state", self.state, "--unique-queue-id",
        )  # fmt: skip
        return {**result, "rate": result["req/s"], "dunno": result["DUNNO"]}


class RedisBenchmark(Service):
    """redis-benchmark with the call that sluice-policyd makes, one at a time on each connection."""

    def __init__(self, name, arguments, folder, sluice, state):
        super().__init__(name, arguments, folder, state)
        self._sluice = sluice
        self._call = None
        self._rate = 40000.0

    def missing(self):
        return None if shutil.which("redis-benchmark") else "redis-tools is not installed"

    @property
    def pid(self):
        return self._sluice.redis.pid

    def start(self):
        self._call = redis_call.capture(self._sluice.redis, lambda: self._ask_once())
        return self

    def _ask_once(self):
        policyload(self.arguments.build, "-n", 1, "-t", 1, "-u", 1, "-s", self.state, self._sluice.server)

    def load(self, connections):
        count = int(self._rate * self.arguments.seconds)
        result = self._call.run(connections, count, self.arguments.users)
        self._rate = result["rate"]
        return {**result, "requests": count, "dunno": count}


class RateLimit(Service):
    """Debian's policyd-rate-limit as packaged, with a database of its own."""

    def missing(self):
        found = shutil.which("policyd-rate-limit")
        return None if found else "policyd-rate-limit is not installed"

    def command(self):
        conf = self.folder / "policyd-rate-limit.yaml"
        conf.write_text(RATE_LIMIT_CONF.format(user="root", folder=self.folder, socket=self.socket))
        return ["policyd-rate-limit", "-f", conf]


class Postfwd(Service):
    """Debian's postfwd with its packaged arguments and four limits."""

    def __init__(self, *positional, **named):
        super().__init__(*positional, **named)
        self._port = ports.free_port()
        self._pidfile = self.folder / "postfwd.pid"
        self._pid = self._started = None

    def missing(self):
        return None if shutil.which("postfwd1") or shutil.which("postfwd") else "postfwd is not installed"

    @property
    def server(self):
        return f"inet:127.0.0.1:{self._port}"

    def is_ready(self):
        return ports.listens(self._port)

    def command(self):
        rules = self.folder / "postfwd.cf"
        seconds = (60, 3600, 86400, 604800)
        rules.write_text("".join(POSTFWD_RULE.format(number=i, seconds=each) for i, each in enumerate(seconds)))
        program = shutil.which("postfwd1") or shutil.which("postfwd")
        return [
            program, "--file", rules, "--interface", "127.0.0.1", "--port", self._port, "--daemon",
            "--user", "root", "--group", "root", "--summary=600", "--cache=600", "--cache-rdomain-only",
            "--cache-no-size", "--pidfile", self._pidfile,
        ]  # fmt: skip

    def start(self):
        """It goes into the background by itself."""
        subprocess.run([str(word) for word in self.command()], check=True, stdout=subprocess.DEVNULL)
        wait.poll(lambda: self.is_ready() and self._pidfile.exists(), 10.0, "postfwd")
        self._pid = int(self._pidfile.read_text())
        self._started = process.start_time(self._pid)
        return self

    @property
    def pid(self):
        return self._pid

    def stop(self):
        if self._pid is not None:
            process.stop_identified(self._pid, self._started)


def all_rows(arguments, folder):
    """The rows in the order in which they are measured; the first is what the others are a share of."""
    sluice = Sluice("sluice charge", arguments, folder, state="END-OF-MESSAGE")
    return [
        Null("null (ceiling)", arguments, folder),
        OtherNull("null of other tools", arguments, folder),
        sluice,
        Sluice("sluice look", arguments, folder, same_as=sluice),
        OtherLoad("sluice charge, other load", arguments, folder, state="END-OF-MESSAGE", same_as=sluice),
        OtherLoad("sluice look, other load", arguments, folder, same_as=sluice),
        Sluice("sluice charge, memory", arguments, folder, state="END-OF-MESSAGE", store="memory"),
        RedisBenchmark("redis-benchmark charge", arguments, folder, sluice, "END-OF-MESSAGE"),
        RedisBenchmark("redis-benchmark look", arguments, folder, sluice, "RCPT"),
        RateLimit("policyd-rate-limit", arguments, folder),
        Postfwd("postfwd", arguments, folder),
    ]


def idle_memory(arguments, folder):
    """RSS in MiB of a daemon with the memory store and 1,000 idle connections."""
    service = Sluice("sluice idle", arguments, folder, store="memory").start()
    program = pathlib.Path(arguments.build) / "tests/bench/policyload"
    argv = [str(program), "-i", "-c", "1000", service.server]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as idle:
        idle.stdout.readline()
        # An answer to one more shows that the others have been taken.
        policyload(arguments.build, "-n", 1, service.server)
        result = memory_mib(service.pid)
        idle.stdin.close()
    return result
