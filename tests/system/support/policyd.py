# SPDX-License-Identifier: BSD-2-Clause
"""sluice-policyd by itself: no MTA, no DNS, counters in memory unless a test says otherwise."""

import os
import pathlib

from . import policy, ports, sluice

# So that no test waits for a resolver.
NO_DNS = "".join(
    f"cause dns.{name} {{ action = ignore }}\n"
    for name in ("sender-domain", "sender-no-mail", "recipient-domain", "recipient-no-mail", "failure", "mx-broken")
)

class Policyd(sluice.Daemon):
    """Listens on .socket and .port; .config can be changed before a reload."""

    def __init__(self, folder, options=None, sections="", socket=None):
        self.socket, self.port = socket or folder / "policy.sock", ports.free_port()
        base = {
            "mode": "enforce",
            "hostname": "mx.example.test",
            "local-domains": '{"example.test"}',
            "store": '"memory:"',
            "resolver": '{"127.0.0.1@9"}',
            "state-directory": '""',
            "policy-listen": f'{{"unix:{self.socket}", "inet:127.0.0.1:{self.port}"}}',
        }
        self.config = sluice.Config(folder, {**base, **(options or {})}, NO_DNS + sections)
        super().__init__("sluice-policyd", folder, self.config, [self.socket, self.port])

    def start(self):
        super().start()
        # Its sockets take connections before it serves them.
        self.log.wait(event="started")
        return self

    @property
    def process(self):
        return self.processes()[0]

    @property
    def pid(self):
        return self.process.pid

    def client(self, **options):
        return policy.Client(self.socket, **options)

    def status(self, name):
        """A number from /proc/PID/status, in KiB where it is a size."""
        for line in pathlib.Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise KeyError(name)

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def first_free_descriptor(self):
        used = {int(each.name) for each in pathlib.Path(f"/proc/{self.pid}/fd").iterdir()}
        return min(set(range(len(used) + 1)) - used)
