# SPDX-License-Identifier: BSD-2-Clause
"""predict=: each rule of each receiver broken, and the message that just keeps it."""

import ipaddress
import itertools

import pytest

from support import credentials, milter, nameserver

NAMED = "198.51.100.9"
NAMELESS = "198.51.100.10"
SPF = '@ IN TXT "v=spf1 ip4:198.51.100.0/24 -all"\n'
QUEUE_IDS = (f"P{number}" for number in itertools.count(1))


def policy(text):
    return f'_dmarc IN TXT "v=DMARC1; {text}"\n'


@pytest.fixture(scope="module")
def place(module_site, dkim_key, tmp_path_factory):
    other = credentials.DkimKey(tmp_path_factory.mktemp("keys"), "other")
    ours, theirs = (
        f"s1._domainkey IN TXT {nameserver.rdata_text(key.record)}\n" for key in (dkim_key, other)
    )
    labels = {
        "good": SPF + ours + policy("p=reject"),
        "nospf": ours + policy("p=none"),
        "softfail": '@ IN TXT "v=spf1 ~all"\n' + ours + policy("p=none"),
        "nokey": SPF + theirs + policy("p=none"),
        "neither": theirs + policy("p=none"),
        "nodmarc": SPF + ours,
        # whose keys nobody knows
        "unsure": SPF + "s1._domainkey IN CNAME s1.broken.test.\n" + policy("p=reject"),
        "dim": "s1._domainkey IN CNAME s1.broken.test.\n" + policy("p=reject"),
        "none": policy("p=none"),
        "reject": policy("p=reject"),
        "trial": policy("p=reject; t=y"),
        "parent": policy("p=reject; sp=none"),
    }
    zones = {
        f"{label}.test": f"@ IN MX 10 mx\nsub IN MX 10 mx\nmx IN A {NAMED}\n{lines}"
        for label, lines in labels.items()
    }
    # of what signs and sends for others
    zones["good.test"] += f"out IN A {NAMED}\n"
    host, zone = ipaddress.ip_address(NAMED).reverse_pointer.split(".", 1)
    zones[zone] = f"{host} IN PTR out.good.test.\n"
    key = f'{{ selector = s1  key = "{dkim_key.private}"'
    others = '"none.test", "reject.test", "trial.test", "sub.parent.test", "broken.test"'
    signs = [f"sign good.test {key}  for = {{{others}}} }}"]
    signs += [f"sign {label}.test {key} }}" for label in labels if label not in others + "good"]
    return module_site(
        mta="none",
        parts=["sluice-milter"],
        sections="\n".join(["cause account.sender-mismatch { action = ignore }", *signs, ""]),
        zones=zones,
        options={"outgoing-addresses": f'{{"{NAMED}"}}', "predict": "bulk"},
    )


def prediction(place, sender, author):
    queue_id = next(QUEUE_IDS)
    with milter.Client(place.milter_socket, client="127.0.0.1") as client:
        client.connect()
        client.mail(sender)
        client.rcpt("bob@example.net", queue_id)
        client.data(queue_id)
        client.header("From", author)
        client.header("Date", "Sat, 21 Nov 2026 00:00:00 +0000")
        client.header("Message-ID", f"<{queue_id}@good.test>")
        client.end_of_headers()
        client.body(b"Hello.\r\n")
        client.end(queue_id)
    return place.milter.log.wait(event="message", queue_id=queue_id).get("predict")


@pytest.fixture(scope="module")
def rules(place):
    """Reloads with other options, when they are others."""
    current = {}

    def change(predict, address=NAMED):
        options = {"predict": predict, "outgoing-addresses": f'{{"{address}"}}'}
        if current != options:
            place.milter.log.mark()
            place.config.options.update(options)
            place.milter.reload()
            place.milter.log.wait(event="reloaded")
            current.update(options)
        if address == NAMELESS:
            place.milter.log.wait(cause="dns.ptr", ip=NAMELESS, state="bad")

    return change


SPF_AND_DKIM = "gmail:5.7.26,outlook:5.7.515,yahoo:5.7.9"
BULK = [
    ("good", "good", None),
    ("nospf", "nospf", "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"),
    ("softfail", "softfail", "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"),
    ("nokey", "nokey", "gmail:5.7.30,outlook:5.7.515,yahoo:5.7.9"),
    ("neither", "neither", SPF_AND_DKIM),
    ("nodmarc", "nodmarc", "gmail:5.7.40,outlook:5.7.515,yahoo:5.7.9"),
    ("good", "none", "gmail:5.7.32,outlook:5.7.515,yahoo:5.7.9"),
    ("good", "trial", "gmail:5.7.32,outlook:5.7.515,yahoo:5.7.9"),
    ("good", "sub.parent", "gmail:5.7.32,outlook:5.7.515,yahoo:5.7.9"),
    ("good", "reject", SPF_AND_DKIM),
    ("none", "good", "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"),  # aligned, by its signature
    ("good", "broken", None),  # nobody knows
    ("unsure", "unsure", None),
    ("dim", "dim", "gmail:5.7.27,outlook:5.7.515,yahoo:5.7.9"),
]
# What is asked of everybody: one of SPF and DKIM, and what the domain itself asks for.
SMALL = [
    ("good", "good", None),
    ("nospf", "nospf", None),
    ("nokey", "nokey", None),
    ("neither", "neither", "gmail:5.7.26,yahoo:5.7.9"),
    ("nodmarc", "nodmarc", None),
    ("good", "none", None),
    ("good", "trial", None),
    ("good", "sub.parent", None),
    ("good", "reject", "gmail:5.7.26,outlook:5.7.509,yahoo:5.7.9"),
    ("good", "broken", None),
    ("dim", "dim", None),
]


@pytest.mark.parametrize(
    "predict, cases",
    [("bulk", BULK), ("small", SMALL), ("no", [("neither", "neither", None)])],
)
def test_by_its_records(place, rules, predict, cases):
    rules(predict)
    for sender, author, predicted in cases:
        said = prediction(place, f"joe@{sender}.test", f"joe@{author}.test")
        assert said == predicted, (predict, sender, author)


@pytest.mark.parametrize("predict, predicted", [("bulk", "gmail:5.7.25"), ("small", "gmail:5.7.25")])
def test_by_our_addresses_name(place, rules, predict, predicted):
    rules(predict, NAMELESS)
    assert prediction(place, "joe@good.test", "joe@good.test") == predicted
    # the first rule that is broken is the reply
    assert prediction(place, "joe@neither.test", "joe@neither.test").startswith("gmail:5.7.26,")
