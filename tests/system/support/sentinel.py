# SPDX-License-Identifier: BSD-2-Clause
"""Redis with a replica, watched by three Sentinels."""

from . import ports, process, redis, resp, wait, workdir

MASTER = "mail"
# Of silence, until a Sentinel takes a Redis for dead: long, lest a busy machine is taken for that,
# and short where one is to die.
NOTICE_MS, SHORT_NOTICE_MS = 10000, 500


class Sentinel(process.Server):
    """One of them."""

    def __init__(self, folder, number, primary_port, tls=()):
        self.folder = workdir.subfolder(folder, f"sentinel{number}")
        self.port = ports.free_port()
        self._name = f"sentinel{number}"
        self._primary_port = primary_port
        self._tls = list(tls)

    def start(self):
        config = self.folder / "sentinel.conf"
        socket = "\n".join(redis.port_lines(self.port, self._tls))
        config.write_text(
            f"bind {ports.LOOPBACK}\n{socket}\ndir {self.folder}\ndaemonize no\n"
            f"unixsocket {self.folder}/s.sock\n"
            f"sentinel monitor {MASTER} {ports.LOOPBACK} {self._primary_port} 2\n"
            f"sentinel down-after-milliseconds {MASTER} {NOTICE_MS}\n"
            f"sentinel failover-timeout {MASTER} 2000\n"
        )
        self._process = process.Process(
            self._name, [redis.PROGRAM, config, "--sentinel"], self.folder
        )
        self._process.start().wait_ready(lambda: ports.listens(self.port))
        return self

    def client(self):
        return resp.Client(self.folder / "s.sock")

    def kill(self):
        self._process.kill()


class Watched(process.Server):
    """The primary, its replica and the Sentinels, started together."""

    def __init__(self, folder, tls=()):
        """tls: as for one Redis; then they speak it to each other, too."""
        self.folder = folder
        tls = [*tls, "tls-replication yes"] if tls else []
        self.nodes = [redis.Redis(folder, name="redis-a", tls=tls)]
        replica_of = f"replicaof {ports.LOOPBACK} {self.nodes[0].port}"
        self.nodes.append(redis.Redis(folder, name="redis-b", more=[replica_of], tls=tls))
        self.sentinels = [Sentinel(folder, n, self.nodes[0].port, tls) for n in range(3)]
        hosts = ",".join(f"{ports.LOOPBACK}:{sentinel.port}" for sentinel in self.sentinels)
        self.url = f"sentinel://{hosts}/0?master={MASTER}"

    def start(self):
        for server in (*self.nodes, *self.sentinels):
            server.start()
        wait.poll(self._is_whole, what="the replica and all Sentinels")
        return self

    def _is_whole(self):
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                words = client.call("SENTINEL", "master", MASTER)
            facts = dict(zip(words[::2], words[1::2]))
            if (facts["num-slaves"], facts["num-other-sentinels"]) != ("1", "2"):
                return False
        with self.nodes[1].client() as client:
            return "master_link_status:up" in client.call("INFO", "replication")

    def primary(self):
        """The one that the Sentinels name now."""
        with self.sentinels[-1].client() as client:
            _, port = client.call("SENTINEL", "get-master-addr-by-name", MASTER)
        return next(node for node in self.nodes if node.port == int(port))

    def notice_soon(self):
        """From now on a dead Redis is not waited for long."""
        for sentinel in self.sentinels:
            with sentinel.client() as client:
                client.call("SENTINEL", "SET", MASTER, "down-after-milliseconds", SHORT_NOTICE_MS)

    def stop(self):
        for server in (*self.sentinels, *self.nodes):
            server.stop()

    def describe(self):
        return "\n".join(server.describe() for server in (*self.sentinels, *self.nodes))
