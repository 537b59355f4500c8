# SPDX-License-Identifier: BSD-2-Clause
"""A private redis-server on a unix socket and a loopback port."""

import os
import signal

from . import ports, process, resp, workdir

# As for the unit tests: another version, or Valkey.
PROGRAM = os.environ.get("SLUICE_REDIS_SERVER") or "redis-server"


def port_lines(port, tls):
    """Of a configuration: the port for everybody, or for those who speak TLS."""
    return ["port 0", f"tls-port {port}", *tls] if tls else [f"port {port}"]


class Redis(process.Server):
    """Without `durable` nothing is written to disk; with it every write is in the log before it is
    acknowledged.
    """

    def __init__(self, folder, durable=False, password=None, acl=(), outlive=False, more=(),
                 name="redis", tls=()):
        """more: further lines of its configuration.  tls: lines with which its port speaks TLS."""
        self.folder = workdir.subfolder(folder, name)
        self.socket = self.folder / "redis.sock"
        self.port = ports.free_port()
        self.password = password
        self._acl = list(acl)
        self._durable = durable
        self._outlive = outlive
        self._more = list(more)
        self._tls = list(tls)
        self._name = name

    def _config(self):
        lines = [
            f"bind {ports.LOOPBACK}",
            *port_lines(self.port, self._tls),
            f"unixsocket {self.socket}",
            "unixsocketperm 777",
            f"dir {self.folder}",
            "daemonize no",
            'save ""',
            f"appendonly {'yes' if self._durable else 'no'}",
            "appendfsync always",
        ]
        if self.password:
            lines.append(f"requirepass {self.password}")
        lines += [f"user {rule}" for rule in self._acl]
        return "\n".join(lines + self._more) + "\n"

    def start(self):
        """Start, or start again with the same socket, port and data."""
        config = self.folder / "redis.conf"
        config.write_text(self._config())
        self._process = process.Process(
            self._name, [PROGRAM, config], self.folder, outlive=self._outlive
        )
        self._process.start().wait_ready(self._answers)
        return self

    def _answers(self):
        try:
            with self.client() as client:
                return client.call("PING") == "PONG"
        except resp.ReplyError as error:
            # LOADING while the append-only file is being read.
            if not str(error).startswith("LOADING"):
                raise
            return False
        except OSError:
            return False

    def client(self, **options):
        """A connection to the unix socket, logged in with the default user's password unless told
        otherwise.
        """
        return resp.Client(self.socket, **{"password": self.password, **options})

    def kill(self):
        """As a crash would: SIGKILL."""
        self._process.kill()

    def freeze(self):
        """Connections stay open and nothing is answered until thaw()."""
        self._process.signal(signal.SIGSTOP)

    def thaw(self):
        self._process.signal(signal.SIGCONT)
