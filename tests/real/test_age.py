# SPDX-License-Identifier: Apache-2.0
"""Ages, read from the order of the collector's lists, follow the order in which objects were made."""
import collections
import json
import os
import statistics
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

SCRIPT = os.path.join(HERE, "age_batches.py")
BATCHES = 10
EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)


def objects_of(source):
    for line in support.heapwhy("text", "--ndjson", source).splitlines():
        yield json.loads(line)


def batches(source):
    """The ages of each batch's objects, in the order in which the batches were made."""
    ages = collections.defaultdict(list)
    for one in objects_of(source):
        name = one["type"].rpartition(".")[2]
        if name.startswith("Batch"):
            ages[int(name[5:])].append(one["age"])
    assert len(ages) == BATCHES
    return [ages[number] for number in range(BATCHES)]


def medians(source):
    return [statistics.median(ages) for ages in batches(source)]


@EVERY
@pytest.mark.parametrize("way", ["young", "full", "freeze"])
def test_ages_rise(interpreter, way):
    with support.ready_target(interpreter, SCRIPT, way) as target:
        found = medians(target.pid)
    assert found == sorted(found) and len(set(found)) == BATCHES, found


@EVERY
def test_all_tracked_objects_have_one(interpreter):
    with support.ready_target(interpreter, SCRIPT, "full") as target:
        objects = list(objects_of(target.pid))
    assert all(bool(one["age"]) == one["tracked"] for one in objects)
    count = collections.Counter(one["age"] for one in objects if one["tracked"])
    assert set(count) == set(range(1, 256))
    # Ranks: each age has a 255th of the objects, but for rounding.
    assert max(count.values()) - min(count.values()) <= 1


@EVERY
def test_frozen_objects_are_the_oldest(interpreter):
    with support.ready_target(interpreter, SCRIPT, "freeze") as target:
        shown = [support.heapwhy_json("show", "--json", "--objects=1", target.pid,
                                      "__main__.Batch%d" % number)["objects"][0]
                 for number in (0, BATCHES - 1)]
        ages = batches(target.pid)
    assert "frozen" in shown[0]["flags"] and "frozen" not in shown[1]["flags"]
    assert 0 < shown[0]["age"] < shown[1]["age"]
    assert max(map(max, ages[:BATCHES // 2])) <= min(map(min, ages[BATCHES // 2:]))


@EVERY
def test_unfrozen_objects_go_behind(interpreter):
    """What heapwhy.h says of gc.unfreeze(): the permanent list is hung behind generation 2, though
    its objects are older."""
    with support.ready_target(interpreter, SCRIPT, "unfreeze") as target:
        found = medians(target.pid)
    half = BATCHES // 2
    assert max(found[half:]) < min(found[:half]), found


def test_ages_survive_the_file(tmp_path):
    file = tmp_path / "a.hwsnap"
    with support.ready_target(support.interpreters()[0], SCRIPT, "young") as target:
        support.heapwhy("snapshot", target.pid, "-o", file)
        assert medians(file) == medians(target.pid)
    assert "age" in support.heapwhy("check", file)
