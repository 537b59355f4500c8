# SPDX-License-Identifier: BSD-2-Clause
"""Every way to name the store, and two hosts that share one."""

import pytest

from support import counting, policy, proof, redis, sluice, wait
from support.counting import SENDER, Charger, Load
from support.feedback import MailLog
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


HIDDEN = f"""
limit daily {{ subject = user  count = messages  max = 3  per = 24h  near = 0 }}
limit from {{ subject = sender  count = distinct-recipients  max = 30  per = 24h }}
limit to {{ subject = recipient  count = messages  max = 30  per = 24h }}
limit there {{ subject = recipient-domain  count = recipients  max = 30  per = 24h }}
limit net {{ subject = client-network  count = messages  max = 30  per = 24h }}
class big {{ limit daily {{ max = 9 }} }}
notify somebody {{ causes = {{"limit.*"}}  command = {{"/bin/true"}} }}
{counting.NO_DNS}
"""


def test_nothing_in_the_store_names_anybody(station, run, folder):
    """With store-hash-addresses all works, and no key, field or value has an address or a login."""
    secret = folder / "hash-key"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    secret.chmod(0o600)
    options = {"store-hash-addresses": "yes", "store-hash-key-file": f'"{secret}"'}
    place = station(sections=HIDDEN, options=options, resolver=False)
    mail = MailLog(folder / "mail.log")
    follower = run(sluice.Daemon("sluice-feedback", folder, place.config, [],
                                 overrides={"mail-log": str(mail.path)}))
    client = {"client_address": "203.0.113.77", "helo_name": "secret-laptop.example"}
    with policy.Client(place.policy_socket) as asked:
        said = [asked.message(f"Q{number}", ["bob@secret.test"], **client)[-1] for number in range(4)]
        assert [words.split()[0] for words in said] == ["DUNNO"] * 3 + ["450"]
        place.policyd.log.wait(event="notify", seconds=30)
        place.ctl.run("class", "set", SENDER, "big")
        place.ctl.run("suspend", "eve@example.test", "--reason", "abuse")
        assert "5.7.13" in asked.ask(sasl_username="eve@example.test", sender="eve@example.test", **client)
        mail.sender("B000000001", SENDER)
        mail.delivery("B000000001", "bob@secret.test", "bounced", "5.1.1",
                      "550 5.1.1 <bob@secret.test>: unknown, says postmaster@secret.test.")
        follower.log.wait(event="delivery", cause="recipient.unknown", seconds=30)
        again = asked.ask(instance="again", recipient="bob@secret.test", **client)
        assert again.startswith("550 5.1.1 ") and again.endswith("[recipient.unknown]"), again
    assert counting.used(place)["daily"] == 3
    assert place.ctl.run("suspended", "eve@example.test").returncode == 0
    with place.redis.client() as store:
        keys = store.call("KEYS", "*")
        everything = repr([(key, store.call("DUMP", key)) for key in keys if store.call("TYPE", key) != "hash"])
        everything += repr([(key, store.call("HGETALL", key)) for key in keys if store.call("TYPE", key) == "hash"])
    for word in ("alice", "bob", "eve", "secret", "203.0.113"):
        assert word not in everything, everything


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
