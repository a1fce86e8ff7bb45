# SPDX-License-Identifier: Apache-2.0
"""What `heapwhy cycles` says before a collection is what gc.collect() finds after it."""
import json
import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

COUNT = 7

# What must be found: kind, the end of what closes it, the place that breaks it.
EXPECTED = [
    ("objects", "].order is the same __main__.Order", "__main__.Line.order"),
    ("objects", "__main__.Slotted.other.other is the same __main__.Slotted",
     "__main__.Slotted.other"),
    ("self", "__main__.WithDel.me is the same __main__.WithDel", "__main__.WithDel.me"),
    ("bound-methods", "].__self__ is the same __main__.Connection",
     "__main__.Connection.handlers[...]"),
    ("closure", ".cell_contents is the same function", "closure.<locals>.again() at cycle_truth.py:"),
    ("exception", "KeyError.__traceback__.tb_frame.kept is the same KeyError",
     "kept of failure() at cycle_truth.py:"),
    ("bound-methods", ".ref.__callback__.__self__ is the same __main__.Watcher",
     "__main__.Watcher.ref"),
    ("class", "is the same __main__.dynamic_class.<locals>.Plugin", None),
    ("container", "list[0] is the same list", "list[...]"),
]


@pytest.fixture(scope="module", params=support.interpreters(), ids=lambda i: i.name)
def looked_at(request):
    """What heapwhy says, what the collector then finds, and what heapwhy says after that."""
    with support.ready_target(request.param, os.path.join(HERE, "cycle_truth.py")) as process:
        before = support.heapwhy_json("cycles", "--json", process.pid)
        process.send_signal(signal.SIGUSR1)
        truth = json.loads(process.stdout.readline())
        after = support.heapwhy_json("cycles", "--json", process.pid)
        yield before, truth, after


def test_collect_returns_what_was_said(looked_at):
    before, truth, _ = looked_at
    assert before["collector_off"]
    assert before["collect_returns"] == truth["returned"]


def test_types_are_those_of_saveall(looked_at):
    before, truth, _ = looked_at
    said = {row["type"]: row["objects"] for row in before["types"]}
    assert {name: said.get(name) for name in truth["types"]} == truth["types"]


@pytest.mark.parametrize("kind,closes,place", EXPECTED, ids=lambda v: str(v)[:20])
def test_every_kind_is_named(looked_at, kind, closes, place):
    before = looked_at[0]
    found = [group for group in before["cycles"] if group["closes"].endswith(closes)]
    assert len(found) == 1, [group["closes"] for group in before["cycles"]]
    assert found[0]["kind"] == kind
    assert found[0]["count"] == COUNT
    if place:
        assert found[0]["breaks_all"]
        assert [row["place"] for row in found[0]["breaks"]][0].startswith(place)


def test_finalizers_and_callbacks(looked_at):
    before = looked_at[0]
    assert before["finalizers"] == COUNT
    assert sum(group["finalizers"] for group in before["cycles"]) == COUNT
    assert sum(group["weakref_callbacks"] for group in before["cycles"]) == COUNT
    held = sum(group["objects"] + group["held_objects"] for group in before["cycles"])
    assert held + before["shared_objects"] == before["garbage_objects"]


def test_gc_garbage_holds_it_afterwards(looked_at):
    before, truth, after = looked_at
    assert after["gc_garbage"]["length"] == truth["length"]
    assert {row["type"]: row["objects"] for row in after["gc_garbage"]["types"]} == truth["types"]
    kept = {group["signature"]: group["count"] for group in after["cycles"] if group["in_gc_garbage"]}
    for group in before["cycles"]:
        assert kept.get(group["signature"]) == group["count"], group["closes"]


@pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
def test_generators(interpreter):
    script = os.path.join(HERE, "cycle_truth.py")
    with support.ready_target(interpreter, script, "generators") as process:
        answer = support.heapwhy_json("cycles", "--json", process.pid)
    found, = [group for group in answer["cycles"] if group["kind"] == "generator"]
    assert found["count"] == COUNT and found["breaks_all"]
    assert found["closes"].endswith(".mine[0] is the same generator")
    assert found["breaks"][0]["place"].startswith("mine of generator() at cycle_truth.py:")


def test_addresses_can_be_shown(looked_at):
    for group in looked_at[0]["cycles"]:
        assert group["steps"][-1]["addr"] == group["addr"]
