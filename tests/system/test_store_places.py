# SPDX-License-Identifier: BSD-2-Clause
"""Every way to name the store, and two hosts that share one."""

import pytest

from support import counting, proof, redis, sluice, wait
from support.counting import SENDER, Charger, Load
from support.outage import states

LIMITS = counting.NO_DNS + """
limit daily { subject = user  count = messages  max = 10  per = 24h  near = 0 }
"""
ACL = "sluice on >secret ~sluice:* +@all -@dangerous"

URLS = {
    "port": ("redis://127.0.0.1:{port}", {}, {}, 0),
    "name": ("redis://localhost:{port}", {}, {}, 0),
    "database-of-the-url": ("redis://127.0.0.1:{port}/3", {}, {}, 3),
    "database": ("unix:{socket}", {"store-database": "2"}, {}, 2),
    "password": ("unix:{socket}", {"store-password-file": '"{secret}"'}, {"password": "secret"}, 0),
    "password-of-the-url": ("redis://:secret@127.0.0.1:{port}", {}, {"password": "secret"}, 0),
    "user": (
        "redis://127.0.0.1:{port}/1",
        {"store-user": "sluice", "store-password-file": '"{secret}"'},
        {"acl": [ACL]},
        1,
    ),
    "user-of-the-url": ("redis://sluice:secret@127.0.0.1:{port}", {}, {"acl": [ACL]}, 0),
}


@pytest.mark.parametrize("name", URLS)
@proof.near_miss("self.store-down")
def test_where_the_store_is(run, folder, secret, name):
    url, options, server, database = URLS[name]
    store = run(redis.Redis(folder, **server))
    words = {"port": store.port, "socket": store.socket, "secret": secret}
    config = sluice.Config(
        folder,
        {
            "mode": "enforce",
            "hostname": "mx.example.test",
            "store": f'"{url.format(**words)}"',
            "policy-listen": f'{{"unix:{folder}/p.sock"}}',
            "state-directory": '""',
            "store-timeout": "3s",
            **{key: value.format(**words) for key, value in options.items()},
        },
        LIMITS,
    )
    daemon = run(sluice.Daemon("sluice-policyd", folder, config, [folder / "p.sock"]))
    with Charger(folder / "p.sock") as one:
        assert [each.accepted for each in one.messages(11)] == [True] * 10 + [False]
    assert not daemon.log.events(cause="self.store-down")
    assert counting.used(None, ctl=sluice.Ctl(config))["daily"] == 10
    with store.client() as client:
        client.call("SELECT", database)
        assert client.call("EXISTS", f"sluice:{{user:{SENDER}}}:use") == 1
    assert "secret" not in sluice.Ctl(config).run("config", "--effective").stdout
    assert "secret" not in sluice.Ctl(config).run("status", "store").stdout


def test_two_hosts_hold_one_limit(station, run, folder):
    place = station(sections=LIMITS.replace("max = 10 ", "max = 300 "), resolver=False)
    second = folder / "second"
    second.mkdir()
    options = {
        **place.config.options,
        "hostname": "mx2.example.test",
        "policy-listen": f'{{"unix:{second}/policy.sock"}}',
        "state-directory": '""',
    }
    config = sluice.Config(second, options, place.config.sections)
    other_host = run(
        sluice.Daemon("sluice-policyd", second, config, [second / "policy.sock"])
    )
    sockets = [place.policy_socket, second / "policy.sock"]
    # The same queue ids on both: messages of two hosts are two messages.
    makers = [lambda s=s, n=n: Charger(s, f"S{n}.") for s in sockets for n in range(3)]
    with Load(makers) as load:
        wait.poll(lambda: len(load.answers) > 600, what="more than the limit")
    assert load.accepted == 300
    assert not states(place.policyd) and not states(other_host)
    for ctl in (place.ctl, sluice.Ctl(config)):
        assert counting.used(place, ctl=ctl)["daily"] == 300
