# SPDX-License-Identifier: Apache-2.0
"""What `heapwhy cycles` says before a collection is what gc.collect() finds after it."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

COUNT = 7

# What must be found: kind, the end of what closes it, the place that breaks it.
EXPECTED = [
    ("objects", "__main__.Order.lines[0].order is the same __main__.Order", "__main__.Line.order"),
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


MAPPED = """
import gc, mmap, time
gc.disable()
class Node:
    def __init__(self):
        self.me = self
        self.map = mmap.mmap(-1, 1 << 20)
for _ in range(20):
    Node()
print("READY", flush=True)
time.sleep(3600)
"""


def test_memory_outside_of_objects_counts(tmp_path):
    script = tmp_path / "mapped.py"
    script.write_text(MAPPED)
    with support.ready_target(support.interpreters()[0], str(script)) as process:
        cycles = support.heapwhy_json("cycles", "--json", process.pid)
        collector = support.heapwhy_json("gc", "--json", process.pid)
    mapped = 20 << 20
    found, = [group for group in cycles["cycles"] if group["closes"].startswith("__main__.Node")]
    assert found["count"] == 20 and found["bytes"] < mapped
    assert mapped <= found["held_bytes"] < mapped + 100000
    assert cycles["garbage_bytes"] == collector["free_bytes"] >= mapped


# ---- watching ----

LEAKING = """
import gc, time
class Order:
    def __init__(self):
        self.line = Line(self)
class Line:
    def __init__(self, order):
        self.order = order
gc.disable()
for _ in range(10):
    Order()
print("READY", flush=True)
while True:
    time.sleep(0.02)
    Order()
"""
QUIET = LEAKING.replace("    Order()\n", "    None\n", 2).replace("    None\n", "    Order()\n", 1)


@contextlib.contextmanager
def watched(text, tmp_path, *options, command="cycles"):
    """A program, and heapwhy that watches its cycles."""
    script = tmp_path / "service.py"
    script.write_text(text)
    target = support.interpreters()[0]
    with support.ready_target(target, str(script)) as process:
        watcher = subprocess.Popen(
            [support.heapwhy_binary(), command, str(process.pid), "--watch-cycles", *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "COLUMNS": "80"})
        try:
            yield process, watcher
        finally:
            watcher.kill()
            watcher.communicate()


@pytest.mark.parametrize("command", ["cycles", "gc"])
def test_watching_tells_new_cycles(tmp_path, command):
    options = ["-n", "3", "-i", "300ms", "--exit-code"]
    with watched(LEAKING, tmp_path, *options, command=command) as (_, watcher):
        out, complaint = watcher.communicate(timeout=60)
    assert watcher.returncode == 3 and not complaint
    text = " ".join(out.decode().split())
    assert text.count("__main__.Order.line.order is the same __main__.Order") == 3
    assert len(re.findall(r"\d new cycles, ", text)) == 2
    assert text.count("make __main__.Line.order a weakref.ref") == 1
    assert all(len(line) <= 80 for line in out.decode().splitlines())


def test_watching_as_json_lines(tmp_path):
    options = ["-n", "3", "-i", "300ms", "--json"]
    with watched(LEAKING, tmp_path, *options) as (process, watcher):
        out, _ = watcher.communicate(timeout=60)
    assert watcher.returncode == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["look"] for row in rows] == [2, 3]
    for row in rows:
        assert row["pid"] == process.pid and row["first_seen"] is False
        assert row["new"] > 0 and row["new_objects"] == 2 * row["new"]
        each = (row["bytes"] + row["held_bytes"]) / (row["objects"] + row["held_objects"])
        assert row["new_bytes"] == each * row["new_objects"]
        assert row["per_second"] == pytest.approx(45, abs=25)
        assert row["breaks"][0]["place"] == "__main__.Line.order"
    assert rows[1]["count"] == rows[0]["count"] + rows[1]["new"]


def test_watching_says_nothing_where_nothing_is_new(tmp_path):
    with watched(QUIET, tmp_path, "-n", "3", "-i", "200ms", "--json", "--exit-code") as (_, watcher):
        out, complaint = watcher.communicate(timeout=60)
    assert (watcher.returncode, out, complaint) == (0, b"", b"")


@pytest.mark.parametrize("end", ["interrupt", "target"])
def test_watching_ends_cleanly(tmp_path, end):
    with watched(LEAKING, tmp_path, "-i", "200ms", "--exit-code") as (process, watcher):
        for line in watcher.stdout:
            if b"new cycles" in line:
                break
        if end == "target":
            process.kill()
        else:
            watcher.send_signal(signal.SIGINT)
        out, complaint = watcher.communicate(timeout=60)
    assert watcher.returncode == 3 and not complaint


@pytest.mark.parametrize("options", [["-n", "3"], ["--exit-code"]])
def test_options_that_need_watching(options):
    done = subprocess.run([support.heapwhy_binary(), "cycles", "/nowhere", *options],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 2 and b"--watch-cycles" in done.stderr


def test_a_file_cannot_be_watched():
    done = subprocess.run([support.heapwhy_binary(), "cycles", "some.hwsnap", "--watch-cycles"],
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 2 and not done.stdout


@pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
def test_legacy_finalizers(interpreter):
    with support.ready_target(interpreter, os.path.join(HERE, "legacy_del.py")) as process:
        before = support.heapwhy_json("cycles", "--json", process.pid)
        state = support.heapwhy_json("gc", "--json", process.pid)
        process.send_signal(signal.SIGUSR1)
        truth = json.loads(process.stdout.readline())
        after = support.heapwhy_json("cycles", "--json", process.pid)
        text = support.heapwhy("cycles", process.pid)
    assert before["collect_returns"] == truth["returned"]
    stuck = {"__main__.Legacy": 0, "__main__.Inherits": 0, "__main__.Part": 0}
    for group in before["cycles"]:
        name = group["types"][0]["type"]
        if group["uncollectable"]:
            stuck[name] += group["types"][0]["objects"]
        assert (group["legacy_finalizers"] > 0) == (name in ("__main__.Legacy", "__main__.Inherits"))
    assert {"__main__." + name: count for name, count in truth["alive"].items()} == stuck
    freed = sum(g["objects"] + g["held_objects"] for g in before["cycles"] if not g["uncollectable"])
    assert before["garbage_objects"] == state["free_objects"] == freed
    assert after["garbage_objects"] == after["uncollectable_objects"] == 0
    assert after["gc_garbage"]["length"] == truth["garbage"] == after["gc_garbage"]["legacy_finalizers"]
    assert "have a legacy finalizer (tp_del): break their cycles by hand" in " ".join(text.split())
