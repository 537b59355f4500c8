# SPDX-License-Identifier: BSD-2-Clause
"""Every cause that a daemon finds is provoked by a test, and has a near miss that must not raise it."""

import json

import pytest

from support import proof, sluice, workdir


@pytest.fixture(scope="module")
def catalogue():
    folder = workdir.create("p")
    config = sluice.Config(folder, {"hostname": "mx.example.test"})
    rows = json.loads(sluice.Ctl(config).run("causes", "--json").stdout)
    yield {row["id"]: row for row in rows}
    workdir.remove(folder)


@pytest.fixture(scope="module")
def registry():
    folder = workdir.create("p")
    yield proof.collect(folder)
    workdir.remove(folder)


def test_every_cause_of_the_daemons_is_proven(catalogue, registry):
    daemons = [row["id"] for row in catalogue.values() if {"policy", "milter"} & set(row["found"])]
    bare = {
        cause
        for cause in daemons
        if not (cause in registry["provokes"] and cause in registry["near_miss"])
    }
    assert not bare, f"neither provoked nor nearly missed: {sorted(bare)}"


def test_marks_name_causes_that_exist(catalogue, registry):
    marked = {*registry["provokes"], *registry["near_miss"]}
    assert not marked - set(catalogue)
