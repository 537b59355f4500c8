# SPDX-License-Identifier: BSD-2-Clause
"""A Redis Cluster of three primaries with a replica each."""

from . import ports, process, redis, resp, wait

SLOTS = 16384
PRIMARIES = 3
# Of silence, until the others take a node for dead: long, lest a busy machine is taken for that, and
# short where a node is to die.
NOTICE_MS, SHORT_NOTICE_MS = 10000, 1000


def slot_of(tag):
    """CRC-16 of what stands between a key's braces."""
    crc = 0
    for octet in tag.encode():
        crc ^= octet << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc % SLOTS


class Cluster(process.Server):
    """nodes: the primaries, in the order of their slots, then their replicas."""

    def __init__(self, folder, replicas=True, tls=()):
        """tls: as for one Redis; then they speak it to each other, too."""
        more = ["cluster-enabled yes", f"cluster-node-timeout {NOTICE_MS}"]
        count = PRIMARIES * (2 if replicas else 1)
        tls = [*tls, "tls-cluster yes"] if tls else []
        self.nodes = [
            redis.Redis(folder, name=f"node{n}", more=more, tls=tls) for n in range(count)
        ]
        hosts = ",".join(f"{ports.LOOPBACK}:{node.port}" for node in self.nodes[:2])
        self.url = f"cluster://{hosts}"

    def start(self):
        for node in self.nodes:
            node.start()
        for number, node in enumerate(self.nodes[:PRIMARIES]):
            first, end = (SLOTS * n // PRIMARIES for n in (number, number + 1))
            self.call(node, "CLUSTER", "ADDSLOTS", *range(first, end))
        for node in self.nodes[1:]:
            self.join(node)
        self._wait("all nodes", lambda node: len(self.table(node)) == len(self.nodes))
        for primary, replica in zip(self.nodes, self.nodes[PRIMARIES:]):
            self.call(replica, "CLUSTER", "REPLICATE", self.call(primary, "CLUSTER", "MYID"))
        self._wait("a whole cluster", self._is_whole)
        return self

    def _wait(self, what, holds):
        wait.poll(
            lambda: all(map(holds, self.nodes)), what=what, on_timeout=self.describe
        )

    def _is_whole(self, node):
        info = self.call(node, "CLUSTER", "INFO")
        replicates = "role:master" in self.call(node, "INFO", "replication") or (
            "master_link_status:up" in self.call(node, "INFO", "replication")
        )
        primaries = len([row for row in self.table(node) if "master" in row[2]])
        return "cluster_state:ok" in info and replicates and primaries == PRIMARIES

    def call(self, node, *words):
        with node.client() as client:
            return client.call(*words)

    def table(self, node):
        return [line.split(" ") for line in self.call(node, "CLUSTER", "NODES").splitlines()]

    def knows(self, node, name):
        """Whether it has met the node of that name."""
        return any(row[0] == name and "handshake" not in row[2] for row in self.table(node))

    def forget(self, node, name):
        """The node knows nothing of that name any more, or never did: they hear of it one by one."""
        try:
            self.call(node, "CLUSTER", "FORGET", name)
        except resp.ReplyError as error:
            if "Unknown node" not in str(error):
                raise

    def join(self, node):
        """The node becomes one of the cluster, without slots."""
        self.call(node, "CLUSTER", "MEET", ports.LOOPBACK, self.nodes[0].port)

    def notice_soon(self):
        """From now on a dead node is not waited for long."""
        for node in self.nodes:
            self.call(node, "CONFIG", "SET", "cluster-node-timeout", SHORT_NOTICE_MS)

    def owner(self, subject):
        """The primary, as configured at the start, of a subject's slot."""
        return self.nodes[slot_of(subject) * PRIMARIES // SLOTS]

    def begin_move(self, subject, source, target):
        """The slot of a subject is on its way: nothing of it has arrived yet."""
        slot = slot_of(subject)
        names = {node: self.call(node, "CLUSTER", "MYID") for node in (source, target)}
        self.call(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", names[source])
        self.call(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", names[target])

    def move_keys(self, subject, source, target):
        keys = self.call(source, "CLUSTER", "GETKEYSINSLOT", slot_of(subject), 1000)
        for key in keys:
            self.call(source, "MIGRATE", ports.LOOPBACK, target.port, key, 0, 5000)
        return keys

    def end_move(self, subject, target):
        name = self.call(target, "CLUSTER", "MYID")
        for node in (target, *self.nodes):
            try:
                self.call(node, "CLUSTER", "SETSLOT", slot_of(subject), "NODE", name)
            except (OSError, resp.ReplyError):
                pass  # a replica, or one that is dead

    def stop(self):
        for node in self.nodes:
            node.stop()

    def describe(self):
        return "\n".join(node.describe() for node in self.nodes)
