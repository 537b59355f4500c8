# SPDX-License-Identifier: BSD-2-Clause
"""A Redis that speaks TLS: to Sluice itself where it was built with hiredis 1.x, and to stunnel."""

import pathlib
import re
import subprocess

import pytest

from support import cluster, counting, ports, process, redis, sentinel, sluice, workdir
from support.counting import SENDER, Charger, Load
from support.outage import more, senders, states, store_lines, wait_state, wait_states

LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
"""
CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "stunnel"
NAME = "redis.example.test"
LOST_BY_REDIS = 5  # acknowledged, and not yet given to the replica


class Papers:
    """An authority, and certificates that it signed."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        self.ca = folder / "ca.pem"
        self._openssl("req", "-x509", *self._new("ca"), "-days", "2", "-subj", "/CN=authority")

    def _openssl(self, *words):
        subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)

    def _new(self, name):
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate]  # fmt: skip

    def sign(self, name, names):
        """(certificate, key) for subjectAltName."""
        key, certificate = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        self._openssl("req", "-x509", *self._new(name), "-days", "2", "-subj", f"/CN={name}",
                      "-CA", self.ca, "-CAkey", self.folder / "ca.key",
                      "-addext", f"subjectAltName={names}",
                      "-addext", "basicConstraints=critical,CA:FALSE")  # fmt: skip
        key.chmod(0o644)  # the daemons have a user of their own
        return certificate, key


@pytest.fixture(scope="module")
def papers():
    path = workdir.create("t")
    path.chmod(0o755)
    yield Papers(path / "papers")
    workdir.remove(path)


@pytest.fixture
def make_tls(run, folder, papers):
    """Start a Redis with a port for TLS: (the Redis, that port)."""

    def start(names=f"DNS:{NAME},IP:127.0.0.1", clients="no"):
        port = ports.free_port()
        certificate, key = papers.sign("redis", names)
        more_lines = [f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                      f"tls-auth-clients {clients}", f"tls-ca-cert-file {papers.ca}"]  # fmt: skip
        server = redis.Redis(folder, name="tls", durable=True, more=more_lines)
        return run(server), port

    return start


@pytest.fixture
def tls_lines(papers):
    """With which every server in reach speaks TLS, and nothing else."""
    certificate, key = papers.sign("all", "IP:127.0.0.1")
    return [f"tls-cert-file {certificate}", f"tls-key-file {key}", "tls-auth-clients no",
            f"tls-ca-cert-file {papers.ca}"]  # fmt: skip


@pytest.fixture(scope="module")
def speaks_tls():
    """Whether this build does; one that does not says where to turn."""
    path = workdir.create("c")
    options = {"hostname": "mx.example.test", "store": '"rediss://localhost"'}
    done = sluice.Ctl(sluice.Config(path, options, "")).run("config", check=False)
    workdir.remove(path)
    assert done.returncode == 0 or "contrib/stunnel" in done.stderr, done
    return done.returncode == 0


@pytest.fixture
def itself(speaks_tls):
    if not speaks_tls:
        pytest.skip("this build leaves TLS to stunnel: configure found no hiredis of 1.0 or newer")


@pytest.fixture
def start(station, papers):
    def with_tls(port, host="127.0.0.1", parts=("sluice-policyd",), **tls):
        options = {"store": f'"rediss://{host}:{port}"', "store-timeout": "2s"}
        settings = {"ca": papers.ca, **tls}
        options |= {f"store-tls-{key}": f'"{value}"' for key, value in settings.items()}
        return station(sections=LIMITS, options=options, resolver=False, parts=list(parts))

    return with_tls


# --- by itself


@pytest.mark.usefixtures("itself")
def test_counted_over_tls(start, make_tls):
    """Under load, through a crash of Redis; and it is TLS that was spoken."""
    server, port = make_tls()
    place = start(port, parts=sluice.DAEMONS)
    with Load(senders(place)) as load:
        more(load, 200)
        server.kill()
        wait_states(place.daemons, ["down"])
        more(load, 50)
        server.start()
        wait_states(place.daemons, ["down", "up"])
        more(load, 100)
    assert load.accepted == len(load.answers) == counting.used(place)["daily"]
    assert f"rediss://127.0.0.1:{port}" in place.ctl.run("status", "store").stdout
    with server.client() as client:
        clients = client.call("CLIENT", "LIST")
        assert client.call("EXISTS", f"sluice:{{user:{SENDER}}}:use") == 1
    names = re.findall(r" name=(\S+)", clients)
    assert set(sluice.DAEMONS) <= set(names), clients


TRUSTED = {
    "the-name-is-set": ({"name": NAME}, f"DNS:{NAME}", "no"),
    "a-host-name": ({"host": "localhost"}, "DNS:localhost", "no"),
    "our-certificate-is-asked-for": ({"client": True}, "IP:127.0.0.1", "yes"),
}
REFUSED = {
    "another-name": ({"name": "other.example.test"}, f"DNS:{NAME}", "no", "hostname mismatch"),
    "another-address": ({}, "IP:127.0.0.2", "no", "IP address mismatch"),
    "another-authority": ({"stranger": True}, "IP:127.0.0.1", "no", "certificate is refused"),
    "without-our-certificate": ({}, "IP:127.0.0.1", "yes", "set store-tls-certificate"),
}


def settings_of(options, folder, papers):
    settings = {key: value for key, value in options.items() if key in ("host", "name")}
    if "client" in options:
        certificate, key = papers.sign("client", "DNS:client")
        settings |= {"certificate": certificate, "key": key}
    if "stranger" in options:
        settings["ca"] = Papers(folder / "stranger").ca
    return settings


@pytest.mark.usefixtures("itself")
@pytest.mark.parametrize("name", TRUSTED)
def test_trusted(start, make_tls, folder, papers, name):
    options, names, clients = TRUSTED[name]
    _, port = make_tls(names, clients)
    place = start(port, **settings_of(options, folder, papers))
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(5))
    assert counting.used(place)["daily"] == 5 and not states(place.policyd)


@pytest.mark.usefixtures("itself")
@pytest.mark.parametrize("name", REFUSED)
def test_refused(start, make_tls, folder, papers, name):
    """Said with the reason, and mail is counted locally."""
    options, names, clients, why = REFUSED[name]
    _, port = make_tls(names, clients)
    place = start(port, **settings_of(options, folder, papers))
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(3))
        assert why in wait_state(place.policyd, "down")["problem"]
        lines = place.policyd.log.events(event="message", user=SENDER)
        assert {line["store"] for line in lines} == {"local"}
    assert states(place.policyd) == ["down"]


@pytest.mark.usefixtures("itself")
def test_a_renewed_authority(start, make_tls, folder, papers):
    """Its file is read again at the next connection, without a reload."""
    _, port = make_tls()
    ca = folder / "trusted.pem"
    ca.write_bytes(Papers(folder / "stranger").ca.read_bytes())
    place = start(port, ca=ca)
    with Charger(place.policy_socket) as one:
        assert one.message().accepted
        wait_state(place.policyd, "down")
        ca.write_bytes(papers.ca.read_bytes())
        wait_states([place.policyd], ["down", "up"])
        assert counting.used(place)["daily"] == 1


@pytest.mark.usefixtures("itself")
def test_sentinels_over_tls(station, run, folder, papers, tls_lines):
    """They are asked by it, and so is the primary; and a failover is followed."""
    watched = run(sentinel.Watched(folder, tls=tls_lines))
    options = {"store": f'"{watched.url}"', "store-timeout": "2s", "store-tls": "yes",
               "store-tls-ca": f'"{papers.ca}"'}  # fmt: skip
    place = station(sections=LIMITS, options=options, resolver=False, parts=sluice.DAEMONS)
    first, second = watched.nodes
    with Load(senders(place)) as load:
        more(load, 50)
        watched.notice_soon()
        first.kill()
        wait_states(place.daemons, ["down", "up"])
        more(load, 50)
    assert load.accepted == len(load.answers)
    for daemon in place.daemons:
        down, up = store_lines(daemon)
        assert str(second.port) in up["store"], (down, up)
    assert load.accepted - LOST_BY_REDIS <= counting.used(place)["daily"] <= load.accepted


@pytest.mark.usefixtures("itself")
def test_a_cluster_over_tls(station, run, folder, papers, tls_lines):
    """Subjects on several nodes, in one message."""
    nodes = run(cluster.Cluster(folder, replicas=False, tls=tls_lines))
    options = {"store": f'"{nodes.url}"', "store-timeout": "2s", "store-tls": "yes",
               "store-tls-ca": f'"{papers.ca}"'}  # fmt: skip
    client = "limit client { subject = client  count = messages  max = 100000  per = 24h }\n"
    place = station(sections=LIMITS + client, options=options, resolver=False, parts=sluice.DAEMONS)
    with Load(senders(place)) as load:
        more(load, 50)
    assert load.accepted == len(load.answers) == counting.used(place)["daily"]
    assert counting.used(place, "client:192.0.2.10")["client"] == load.accepted
    assert not states(place.policyd) and not states(place.milter)


# --- by stunnel


class Tunnel(process.Server):
    """stunnel with the configuration in contrib, whose places are others here."""

    def __init__(self, folder, target, authority, name):
        self.port = ports.free_port()
        self.folder = folder
        self._places = {
            "accept": f"127.0.0.1:{self.port}",
            "connect": f"127.0.0.1:{target}",
            "CAfile": authority,
            "checkHost": name,
        }

    def start(self):
        text = (CONTRIB / "sluice-redis.conf").read_text()
        for key, value in self._places.items():
            text, count = re.subn(rf"(?m)^{key} = .*$", f"{key} = {value}", text)
            assert count == 1, key
        path = self.folder / "stunnel.conf"
        path.write_text(text)
        self._process = process.Process("stunnel", ["stunnel4", path], self.folder)
        self._process.start().wait_ready(lambda: ports.listens(self.port))
        return self


@pytest.mark.usefixtures("speaks_tls")
@pytest.mark.parametrize("name", [NAME, "other.example.test"])
def test_through_stunnel(station, run, folder, make_tls, papers, name):
    """As contrib has it; and a Redis with another name is none."""
    _, port = make_tls()
    tunnel = run(Tunnel(folder, port, papers.ca, name))
    options = {"store": f'"redis://127.0.0.1:{tunnel.port}"', "store-timeout": "2s"}
    place = station(sections=LIMITS, options=options, resolver=False)
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(10))
    if name == NAME:
        assert counting.used(place)["daily"] == 10 and not store_lines(place.policyd)
    else:
        assert "down" in states(place.policyd)
        lines = place.policyd.log.events(event="message", user=SENDER)
        assert {line["store"] for line in lines} == {"local"}
