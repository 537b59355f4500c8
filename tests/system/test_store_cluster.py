# SPDX-License-Identifier: BSD-2-Clause
"""A Redis Cluster of six: slots that move, nodes that come and die, a daemon that dies half-way."""

import pytest

from support import cluster, counting, noise, policy, redis, sluice, wait, workdir
from support.counting import SENDER, Charger, Load
from support.outage import more, senders, states, store_lines, wait_states

TIMEOUT_SEC = 1.0  # a Redis that is there needs less, also on a machine that is busy
LONGEST_SEC = 2 * TIMEOUT_SEC + 0.3
# Three subjects: their slots are those of three nodes.
LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 100000  per = 24h  near = 0 }
limit from { subject = sender-domain  count = messages  max = 100000  per = 24h  near = 0 }
limit client { subject = client  count = messages  max = 100000  per = 24h  near = 0 }
"""
USER = f"user:{SENDER}"
LOST_BY_REDIS = 5


@pytest.fixture(scope="module")
def six():
    path = workdir.create("c")
    nodes = cluster.Cluster(path).start()
    yield nodes
    nodes.stop()
    workdir.remove(path)


@pytest.fixture
def start(station, six):
    def with_cluster(sections=LIMITS, timeout=TIMEOUT_SEC, **others):
        options = {"store-timeout": f"{int(timeout * 1000)}ms", "store": f'"{six.url}"'}
        place = station(sections=sections, options=options, resolver=False, **others)
        for subject in (SENDER, "sender-domain:example.test", "client:192.0.2.10"):
            place.ctl.run("reset", subject)
        return place

    return with_cluster


def uses(place):
    return {
        name: counting.used(place, subject)[name]
        for name, subject in (
            ("daily", USER),
            ("from", "sender-domain:example.test"),
            ("client", "client:192.0.2.10"),
        )
    }


def all_of(count):
    return {"daily": count, "from": count, "client": count}


def test_one_message_is_charged_whole_or_not_at_all(start):
    """The last of three subjects refuses: the others give back, and nothing stays reserved."""
    place = start(LIMITS.replace("limit client { subject = client  count = messages  max = 100000",
                                 "limit client { subject = client  count = messages  max = 7"))
    with Charger(place.policy_socket) as one:
        answers = one.messages(12)
        # RCPT only looks; who asks at the end of the message alone is refused the charge itself.
        end = {"protocol_state": "END-OF-MESSAGE", "recipient_count": 1}
        charges = [one.mta.ask(queue_id=f"END{number}", **end) for number in range(5)]
        # What has no name is not given back by the daemon, but by the cluster's client alone.
        charges += [one.mta.ask(instance="", **end) for _ in range(5)]
    assert [each.accepted for each in answers] == [True] * 7 + [False] * 5
    assert all("[limit.messages]" in words for words in charges), charges
    assert uses(place) == all_of(7)
    assert not states(place.policyd)


def test_a_slot_moves_to_a_new_node(start, six, run, folder):
    place = start(parts=sluice.DAEMONS)
    more_lines = ["cluster-enabled yes", f"cluster-node-timeout {cluster.NOTICE_MS}"]
    seventh = run(redis.Redis(folder, name="seventh", more=more_lines))
    six.join(seventh)
    source = six.owner(USER)
    name = six.call(seventh, "CLUSTER", "MYID")
    wait.poll(
        lambda: six.knows(source, name)
        and len(six.table(seventh)) == 7
        and "cluster_state:ok" in six.call(seventh, "CLUSTER", "INFO"),
        what="the new node",
    )
    with Load(senders(place)) as load:
        more(load, 100)
        six.begin_move(USER, source, seventh)
        more(load, 100)  # the keys are still where they were
        assert six.move_keys(USER, source, seventh)
        more(load, 100)  # ASK
        six.end_move(USER, seventh)
        more(load, 100)  # MOVED
    assert load.accepted == len(load.answers)
    noise.assert_within(load.since(0), LONGEST_SEC)
    assert uses(place) == all_of(load.accepted)
    assert not states(place.policyd) and not states(place.milter)
    # And back, since the others want to go without it.
    six.begin_move(USER, seventh, source)
    six.move_keys(USER, seventh, source)
    six.end_move(USER, source)
    with Charger(place.policy_socket, "B") as one:
        assert all(each.accepted for each in one.messages(5))
    assert uses(place) == all_of(load.accepted + 5)
    for node in six.nodes:
        six.forget(node, name)


def test_a_daemon_is_killed_between_reservation_and_keeping(start, six):
    """What it had reserved for a message that nobody accepted ends by itself."""
    place = start(timeout=20)
    frozen = six.owner("client:192.0.2.10")
    assert frozen is not six.owner(USER), "the test wants two nodes"
    with Charger(place.policy_socket) as one:
        assert all(each.accepted for each in one.messages(3))
    with six.owner(USER).client() as client:
        frozen.freeze()
        mta = policy.Client(place.policy_socket)
        mta.send(
            policy.request(protocol_state="END-OF-MESSAGE", queue_id="K1", recipient_count=1)
        )
        field = wait.poll(
            lambda: client.call("HGET", f"sluice:{{{USER}}}:use", "open"), what="a reservation"
        )
        assert "K1" in field
        place.policyd.kill()
        frozen.thaw()
        mta.close()
    place.policyd.start()
    wait.poll(lambda: uses(place) == all_of(3), what="the reservation's end")
    assert not states(place.policyd)


def test_a_primary_is_killed(start, six):
    """Its replica takes over; until then what concerns its subjects is counted locally."""
    place = start(parts=sluice.DAEMONS)
    victim = six.owner(USER)
    with Load(senders(place)) as load:
        more(load, 100)
        assert not states(place.policyd) and not states(place.milter)
        six.notice_soon()
        victim.kill()
        wait_states(place.daemons, ["down", "up"])
        more(load, 100)
    assert load.accepted == len(load.answers)
    noise.assert_within(load.since(0), LONGEST_SEC)
    for name, used in uses(place).items():
        assert load.accepted - LOST_BY_REDIS <= used <= load.accepted, name
    for daemon in (place.policyd, place.milter):
        down, up = store_lines(daemon)
        assert str(victim.port) in down["problem"] and up["lost"] == "0", (down, up)
