# SPDX-License-Identifier: Apache-2.0
"""The collector's state from outside is what gc says inside."""
import contextlib
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

SCRIPT = os.path.join(HERE, "gc_state.py")
EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
CYCLES = 500
TOLD_LATER = 200  # containers that telling the state may make


@contextlib.contextmanager
def target(interpreter, way):
    lines = []
    with support.ready_target(interpreter, SCRIPT, way, sink=lines.append) as process:
        yield process, json.loads(lines[-1])


def both(interpreter, way):
    """What gc says, what heapwhy says, and that in words."""
    with target(interpreter, way) as (process, inside):
        outside = support.heapwhy_json("gc", "--json", process.pid)
        return inside, outside, support.heapwhy("gc", process.pid)


def assert_same(inside, outside):
    generations = outside["generations"]
    for key in ("collections", "collected", "uncollectable"):
        assert [g[key] for g in generations] == [g[key] for g in inside["stats"]], key
    assert [g["threshold"] for g in generations] == inside["threshold"]
    assert [g["count"] for g in generations][1:] == inside["count"][1:]
    assert abs(generations[0]["count"] - inside["count"][0]) < TOLD_LATER
    assert [g["objects"] for g in generations][1:] == inside["objects"][1:]
    assert abs(generations[0]["objects"] - inside["objects"][0]) < TOLD_LATER
    for key in ("debug", "frozen", "enabled", "callbacks"):
        assert outside[key] == inside[key], key
    assert outside["garbage"]["objects"] == inside["garbage"]
    assert outside["recorded"] is True


@EVERY
@pytest.mark.parametrize("way, condition", [
    ("plain", "on"), ("disabled", "off"), ("threshold_zero", "threshold-zero"), ("rare", "rare"),
    ("frozen", "on"), ("saveall", "on"), ("callbacks", "on"), ("held_back", "held-back"),
    ("subinterpreter", "on")])
def test_state(interpreter, way, condition):
    inside, outside, text = both(interpreter, way)
    assert_same(inside, outside)
    assert outside["condition"] == condition, outside["answer"]
    assert outside["full_held_back"] == (condition == "held-back")
    assert " ".join(outside["answer"].split()) in " ".join(text.split())


@EVERY
def test_garbage_that_a_collection_would_free(interpreter):
    inside, outside, text = both(interpreter, "disabled")
    assert inside["found"] == CYCLES
    # Each with its bytearray, which the collector does not track.
    assert outside["free_objects"] == 2 * CYCLES
    assert outside["free_bytes"] > 1000 * CYCLES
    assert "would free 1,000 objects" in text


@EVERY
def test_saved_garbage_by_type(interpreter):
    inside, outside, text = both(interpreter, "saveall")
    assert outside["debug_flags"] == "DEBUG_UNCOLLECTABLE|DEBUG_SAVEALL"
    assert inside["garbage"] >= CYCLES
    nodes = [row for row in outside["garbage"]["types"] if row["type"] == "__main__.Node"]
    assert [row["objects"] for row in nodes] == [CYCLES]
    assert sum(row["objects"] for row in outside["garbage"]["types"]) == inside["garbage"]
    assert "__main__.Node" in text
    assert "keeps in gc.garbage" in outside["answer"]


@EVERY
def test_frozen_objects_are_told(interpreter):
    inside, outside, text = both(interpreter, "frozen")
    assert inside["frozen"] > 1000
    assert "%d frozen" % inside["frozen"] in outside["answer"]


@EVERY
def test_state_survives_the_file(interpreter, tmp_path):
    file = tmp_path / "a.hwsnap"
    with target(interpreter, "held_back") as (process, inside):
        support.heapwhy("snapshot", process.pid, "-o", file)
    assert_same(inside, support.heapwhy_json("gc", "--json", file))


@EVERY
def test_watching(interpreter):
    with target(interpreter, "working") as (process, _):
        watched = support.heapwhy_json("gc", "--json", "--watch", "2s", process.pid)["watched"]
    assert 2 <= watched["seconds"] < 10
    young, middle, full = watched["generations"]
    for seen in (young, full):
        # One each 50 ms at best; the machine may be busy.
        assert 5 <= seen["collections"] <= 1 + 20 * watched["seconds"]
        assert seen["last_at_most_seconds_ago"] < 1
        assert abs(seen["per_second"] - seen["collections"] / watched["seconds"]) < 0.01
    assert abs(young["collections"] - full["collections"]) <= 1
    assert middle["collections"] == 0 and middle["last_at_most_seconds_ago"] is None


def test_watching_an_idle_process():
    with target(support.interpreters()[0], "plain") as (process, _):
        answer = support.heapwhy("gc", "--watch=200ms", process.pid)
    assert answer.count("none in 2") == 3


def test_a_file_cannot_be_watched(tmp_path):
    done = subprocess.run([support.heapwhy_binary(), "gc", "--watch=1s", str(tmp_path / "a")],
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "--watch wants a running process" in done.stderr


def test_a_process_that_ends_while_watched():
    with target(support.interpreters()[0], "plain") as (process, _):
        watcher = subprocess.Popen([support.heapwhy_binary(), "gc", "--watch=60s", str(process.pid)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            watcher.wait(0.5)
        process.kill()
        process.wait()
        _, complaint = watcher.communicate(timeout=20)
    assert watcher.returncode == 1 and "exited" in complaint


def test_files_without_statistics():
    golden = os.path.join(os.path.dirname(HERE), "data", "golden-1.hwsnap")
    assert support.heapwhy_json("gc", "--json", golden)["recorded"] is False
    assert "not known" in support.heapwhy("gc", golden)
