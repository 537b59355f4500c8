# SPDX-License-Identifier: BSD-2-Clause
"""Redis with three Sentinels: found, followed, and no message waits for the failover."""

import pytest

from support import counting, noise, sentinel, sluice, wait, workdir
from support.counting import SENDER, Charger, Load
from support.outage import more, senders, states, store_lines, wait_states

TIMEOUT_SEC = 1.0  # a Redis that is there needs less, also on a machine that is busy
LONGEST_SEC = 2 * TIMEOUT_SEC + 0.3
LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
"""
# What Redis had acknowledged and not yet given to its replica when it died.
LOST_BY_REDIS = 3


@pytest.fixture(scope="module")
def watched():
    path = workdir.create("s")
    servers = sentinel.Watched(path).start()
    yield servers
    servers.stop()
    workdir.remove(path)


@pytest.fixture
def place(station, watched):
    options = {"store-timeout": f"{int(TIMEOUT_SEC * 1000)}ms", "store": f'"{watched.url}"'}
    return station(sections=LIMITS, options=options, resolver=False, parts=sluice.DAEMONS)


def test_no_such_primary(station, watched):
    """Said with the name that is wrong, and mail goes on."""
    url = watched.url.replace("master=mail", "master=male")
    place = station(sections=LIMITS, options={"store": f'"{url}"'}, resolver=False)
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(3))
    [down] = wait.poll(lambda: store_lines(place.policyd), what="the store down")
    assert "no primary called male" in down["problem"]
    with Charger(place.policy_socket, "A") as one:
        assert all(each.accepted for each in one.messages(20))
    assert states(place.policyd) == ["down"]


def test_an_admin_asks_for_a_failover(place, watched):
    """The old primary lives on, and would take charges that are lost: it is left at once.

    It cannot say so itself, and nobody sends mail meanwhile: the Sentinels' news must be heard.
    """
    first, second = watched.nodes
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(3))
        first.freeze()
        with watched.sentinels[1].client() as client:
            assert client.call("SENTINEL", "FAILOVER", sentinel.MASTER) == "OK"
        wait_states(place.daemons, ["down", "up"])
        first.thaw()
        assert all(each.accepted for each in one.messages(3))
    assert counting.used(place)["daily"] == 6
    for daemon in place.daemons:
        down, up = store_lines(daemon)
        assert str(first.port) in down["store"] and str(second.port) in up["store"], (down, up)


def test_the_primary_is_killed(place, watched):
    first = watched.primary()
    [second] = [node for node in watched.nodes if node is not first]
    with second.client() as client:
        client.call("REPLICAOF", "127.0.0.1", first.port)  # Sentinel would take ten seconds
    wait.poll(lambda: has_replica(first), what="the replica")
    before = counting.used(place)["daily"]
    with Load(senders(place)) as load:
        more(load, 200)
        assert not states(place.policyd) and not states(place.milter)
        watched.notice_soon()
        first.kill()
        wait_states(place.daemons, ["down", "up"])
        assert watched.primary() is second
        more(load, 200)
    assert load.accepted == len(load.answers)
    noise.assert_within(load.since(0), LONGEST_SEC)
    for daemon in (place.policyd, place.milter):
        down, up = store_lines(daemon)
        assert (down["state"], up["state"], up["lost"]) == ("down", "up", "0")
        assert str(second.port) in up["store"]
    accepted = load.accepted
    assert accepted - LOST_BY_REDIS <= counting.used(place)["daily"] - before <= accepted
    # One of the Sentinels dies, and nothing needs it.
    watched.sentinels[0].kill()
    with Charger(place.policy_socket, "S") as last:
        assert all(each.accepted for each in last.messages(5))
    assert states(place.policyd) == ["down", "up"]
    with second.client() as client:
        assert client.call("EXISTS", f"sluice:{{user:{SENDER}}}:use") == 1


def has_replica(node):
    """Redis calls a replica online before the first command goes to it: what is acknowledged tells."""
    with node.client() as client:
        client.call("SET", "written", "1")
        return client.call("WAIT", "1", "500") == 1
