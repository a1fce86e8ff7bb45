# SPDX-License-Identifier: Apache-2.0
"""Whether code deletes or stores items, as heapwhy reads its bytecode, against what dis says; with what
it compares lengths."""
import json
import os
import random

import pytest

import support

PROBE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "code_probe.py")
LENGTHS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "length_checks.py")
EACH = 25  # of those that delete, that store, and that do neither
MISSED = 0.1  # a store behind a long piece without a location of its own is not seen


def flags_of(snapshot, address):
    return support.heapwhy_json("show", snapshot, address, "--json")["objects"][0]["flags"]


@pytest.fixture(scope="module", params=support.every_interpreter(), ids=lambda i: i.name)
def answers(request, tmp_path_factory):
    lines = []
    snapshot = str(tmp_path_factory.mktemp("bytecode") / "probe.heapwhy")
    with support.ready_target(request.param, PROBE, sink=lines.append) as process:
        support.heapwhy("snapshot", process.pid, "-o", snapshot)
    rows = json.loads(lines[0])
    chosen = random.Random(1).sample([row for row in rows if row[2]], EACH)
    chosen += random.Random(1).sample([row for row in rows if row[3]], EACH)
    chosen += random.Random(1).sample([row for row in rows if not row[2] and not row[3]], EACH)
    return [(name, deletes, stores, flags_of(snapshot, address))
            for address, name, deletes, stores in chosen]


def test_nothing_is_made_up(answers):
    wrong = [row for row in answers
             if ("deletes-items" in row[3] and not row[1]) or ("stores-items" in row[3] and not row[2])]
    assert not wrong


@pytest.mark.parametrize("flag, column", [("deletes-items", 1), ("stores-items", 2)])
def test_little_is_missed(answers, flag, column):
    having = [row for row in answers if row[column]]
    missed = [row for row in having if flag not in row[3]]
    assert len(having) >= EACH
    assert len(missed) <= MISSED * len(having), missed


@pytest.mark.parametrize("interpreter", support.every_interpreter(), ids=lambda i: i.name)
def test_lengths_that_code_compares(interpreter, tmp_path):
    lines = []
    snapshot = str(tmp_path / "lengths.heapwhy")
    with support.ready_target(interpreter, LENGTHS, sink=lines.append) as process:
        support.heapwhy("snapshot", process.pid, "-o", snapshot)
    wrong = []
    for address, name, expected in json.loads(lines[-1]):
        value = support.heapwhy_json("show", snapshot, address, "--json")["objects"][0]["value"]
        told = value[value.index(";"):] if ";" in value else ""
        if told != expected:
            wrong.append((name, expected, value))
    assert not wrong
