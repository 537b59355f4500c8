# SPDX-License-Identifier: BSD-2-Clause
"""A private authoritative name server (NSD), and one that never answers."""

import os
import signal
import socket
import subprocess

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from . import ports, process, wait, workdir

# Whatever no other zone knows does not exist; nothing is ever asked of the real root.
ROOT_ZONE = "ns.invalid. IN A 127.0.0.1\n"


def rdata_text(text, limit=255):
    """A TXT value in strings of at most 255 octets, as a long DKIM key needs."""
    return " ".join(f'"{text[at:at + limit]}"' for at in range(0, len(text), limit))


class NameServer(process.Server):
    """Zones are given as {name: records}; a zone whose text is None answers SERVFAIL. ttl is for
    how many seconds an answer may be kept.
    """

    def __init__(self, folder, zones, outlive=False, ttl=1):
        self.folder = workdir.subfolder(folder, "nsd")
        self.port = ports.free_port()
        self._control = self.folder / "control.sock"
        self._config = self.folder / "nsd.conf"
        self._zones = {".": ROOT_ZONE, **zones}
        self._serial = 0
        self._outlive = outlive
        self._ttl = ttl

    @property
    def resolver(self):
        """In the form that sluice.conf wants."""
        return f"{ports.LOOPBACK}@{self.port}"

    def _zone_file(self, name):
        return self.folder / f"{name.rstrip('.') or 'root'}.zone"

    def _write_zone(self, name):
        path, records = self._zone_file(name), self._zones[name]
        if records is None:
            path.unlink(missing_ok=True)
            return
        origin = name if name.endswith(".") else f"{name}."
        # A negative answer, too, may be kept for a second only (RFC 2308, section 5), so that tests
        # can change zones.
        path.write_text(
            f"$ORIGIN {origin}\n$TTL {self._ttl}\n"
            f"@ IN SOA ns.invalid. hostmaster.invalid. {self._serial} 3600 600 86400 {self._ttl}\n"
            f"@ IN NS ns.invalid.\n{records}"
        )

    def _write_config(self):
        text = [
            "server:",
            f"  ip-address: {ports.LOOPBACK}",
            f"  port: {self.port}",
            '  username: ""',
            '  chroot: ""',
            f'  zonesdir: "{self.folder}"',
            '  database: ""',
            f'  pidfile: "{self.folder}/nsd.pid"',
            f'  xfrdfile: "{self.folder}/xfrd.state"',
            f'  zonelistfile: "{self.folder}/zone.list"',
            f'  xfrdir: "{self.folder}"',
            "  server-count: 1",
            "remote-control:",
            "  control-enable: yes",
            f"  control-interface: {self._control}",
        ]
        for name in self._zones:
            text += ["zone:", f'  name: "{name}"', f'  zonefile: "{self._zone_file(name)}"']
        self._config.write_text("\n".join(text) + "\n")

    def start(self):
        self._serial += 1
        for name in self._zones:
            self._write_zone(name)
        self._write_config()
        self._process = process.Process(
            "nsd", ["nsd", "-d", "-c", self._config], self.folder, outlive=self._outlive
        )
        self._process.start().wait_ready(self._serves_latest)
        return self

    def set_zone(self, name, records):
        """Replace one zone's records while running, and return when the new ones are served."""
        before = self._servers()
        self._serial += 1
        self._zones[name] = records
        self._write_zone(name)
        self._control_command("reload", name)
        wait.poll(
            # The one that knows the old zone answers, too, until it ends.
            lambda: self._serial_of(name) == self._serial and not before & self._servers(),
            what=f"zone {name} reloaded",
            on_timeout=self.describe,
        )

    def _servers(self):
        """Its processes that answer: they have no children."""
        parents = process.group(self.pid)
        return set(parents) - set(parents.values())

    def _control_command(self, *words):
        job = process.Process(
            "nsd-control", ["nsd-control", "-c", self._config, *words], self.folder
        ).start()
        if job.wait_exit() != 0:
            raise AssertionError(f"nsd-control {words}\n{job.describe()}")

    def queries(self):
        """How many questions it was asked since its start."""
        command = ["nsd-control", "-c", str(self._config), "stats_noreset"]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        counts = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        return int(counts["num.queries"])

    def _serves_latest(self):
        # TCP refuses at once while nobody listens yet; a UDP question would wait for its time-out.
        return ports.listens(self.port) and all(
            self._serial_of(name) == self._serial
            for name, text in self._zones.items()
            if text is not None
        )

    def _serial_of(self, name):
        try:
            reply = self.query(name, "SOA")
        except (OSError, dns.exception.DNSException):
            return None
        return reply.answer[0][0].serial if reply.answer else None

    def pause(self):
        """Questions are taken and not answered until resume(), by all of its processes."""
        os.killpg(self.pid, signal.SIGSTOP)

    def resume(self):
        os.killpg(self.pid, signal.SIGCONT)

    def query(self, name, kind, timeout=10.0):
        """One UDP question, the reply as dnspython's message."""
        question = dns.message.make_query(name, kind)
        return dns.query.udp(question, ports.LOOPBACK, port=self.port, timeout=timeout)

    def rcode(self, name, kind="A"):
        """The reply's code as text: NOERROR, NXDOMAIN, SERVFAIL."""
        return dns.rcode.to_text(self.query(name, kind).rcode())

    def txt(self, name):
        """The first TXT value in one piece as bytes, or None; fits dkimpy's dnsfunc."""
        text = name.decode("ascii") if isinstance(name, bytes) else name
        for answer in self.query(text, "TXT").answer:
            for record in answer:
                if record.rdtype == dns.rdatatype.TXT:
                    return b"".join(record.strings)
        return None


class BlackHole:
    """A resolver that takes questions over UDP and TCP and never answers."""

    def __init__(self, port=None):
        """port: in the place of a server that is stopped."""
        self.port = port or ports.free_port()
        self._sockets = []

    @property
    def resolver(self):
        return f"{ports.LOOPBACK}@{self.port}"

    def start(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            sock = socket.socket(socket.AF_INET, kind)
            self._sockets.append(sock)
            sock.bind((ports.LOOPBACK, self.port))
        self._sockets[1].listen(16)
        return self

    def questions(self):
        """How many UDP questions came since the last call."""
        count = 0
        while True:
            try:
                self._sockets[0].recv(4096, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return count
            count += 1

    def stop(self):
        while self._sockets:
            self._sockets.pop().close()

    def describe(self):
        return f"silent at {self.resolver}"
