# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures: a private folder, each server by itself, and a whole site; all stopped when a test
ends.
"""

import resource
import sys

sys.dont_write_bytecode = True

import pytest  # noqa: E402

from support import (
    credentials,
    nameserver,
    noise,
    postfix,
    process,
    proof,
    redis,
    sendmail,
    sink,
    workdir,
)  # noqa: E402
from support import site as site_module  # noqa: E402

# What to show when a test fails, newest last; emptied when the test's servers are stopped.
_shown = pytest.StashKey()


def pytest_configure(config):
    config.addinivalue_line("markers", "provokes(causes): the test provokes them, see support/proof.py")
    config.addinivalue_line("markers", "xdist_group(name): run by one process, see below")
    config.addinivalue_line("markers", "near_miss(causes): the test shows what must not raise them")


# Fixtures behind which servers stand that all tests of a module share.
SHARED = ("module_site", "six", "watched")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """With --dist loadgroup one process runs all tests that share servers: each would start its own.
    These come first, as the others can be divided better towards the end.
    """
    proof.collected(items, not any("::" in word for word in config.args))
    for item in items:
        grouped = item.get_closest_marker("xdist_group") is not None
        if not grouped and any(name in SHARED for name in item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)


def pytest_runtest_setup():
    proof.begin()


def pytest_runtest_teardown():
    noise.stop()


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.stats.get("passed", [])
    for title, lines in (("causes", proof.table(reports)), ("documents", proof.documents(reports))):
        for number, line in enumerate(lines):
            if number == 0:
                terminalreporter.section(title)
            terminalreporter.write_line(line)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Put the ends of the logs of everything the test has started below its failure."""
    if call.when == "call":
        proof.note(item)
    report = (yield).get_result()
    complaint = proof.complaint(item)
    if report.when == "call" and report.passed and complaint:
        report.outcome, report.longrepr = "failed", complaint
    if report.when != "teardown" and report.failed:
        for server in item.stash.get(_shown, []):
            report.sections.append((type(server).__name__, server.describe()))


def pytest_sessionfinish():
    process.stop_all()


@pytest.fixture
def folder():
    """A private folder for one test, short enough for unix sockets and open to other users."""
    path = workdir.create()
    yield path
    workdir.remove(path)


@pytest.fixture
def run(request, folder):
    """Start servers that the test makes, stop them after it: redis = run(Redis(folder))."""
    started = []
    request.node.stash[_shown] = started

    def start(server):
        started.append(server)
        return server.start()

    yield start
    problems = []
    for server in reversed(started):
        try:
            server.stop()
        except AssertionError as problem:
            problems.append(str(problem))
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def sink_server(run, folder):
    return run(sink.Sink(folder))


@pytest.fixture
def make_redis(run, folder):
    return lambda **options: run(redis.Redis(folder, **options))


@pytest.fixture
def make_dns(run, folder):
    return lambda zones: run(nameserver.NameServer(folder, zones))


@pytest.fixture
def make_postfix(run, folder, sink_server):
    return lambda **options: run(postfix.Postfix(folder, sink_server.port, **options))


@pytest.fixture
def make_sendmail(run, folder, sink_server):
    return lambda **options: run(sendmail.Sendmail(folder, sink_server.port, **options))


@pytest.fixture(scope="session")
def dkim_key():
    """One key pair for all sites, since making one takes longer than most tests."""
    path = workdir.create("key")
    yield credentials.DkimKey(path, site_module.DOMAIN)
    workdir.remove(path)


@pytest.fixture(scope="module")
def module_site(dkim_key):
    """Start sites that the tests of one module share: the tests must not depend on each other."""
    started = []

    def start(**options):
        path = workdir.create("m")
        started.append(site_module.Site(path, key=dkim_key, **options))
        return started[-1].start()

    yield start
    problems = []
    for one in reversed(started):
        try:
            one.stop()
        except AssertionError as problem:
            problems.append(str(problem))
        one.remove()
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


@pytest.fixture
def site(run, folder, dkim_key):
    """Start a whole site: site(options={...}, sections="limit ..."); see support/site.py."""
    return lambda **options: run(site_module.Site(folder, key=dkim_key, **options))


@pytest.fixture
def station(site):
    """A site that the test itself asks, without an MTA: station(parts=[...], ...)."""

    def start(**options):
        place = site(mta="none", **{"parts": ["sluice-policyd"], **options})
        for daemon in place.daemons:
            daemon.log.wait(event="started")
        return place

    return start


@pytest.fixture
def secret(folder):
    """A file with the password "secret"."""
    path = folder / "password"
    path.write_text("secret\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def many_descriptors():
    """Room for thousands of connections in the test itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
