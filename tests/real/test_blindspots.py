# SPDX-License-Identifier: Apache-2.0
"""What other tools overlook is found: see blind_spots.py and idle.py for the targets."""
import json
import os
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402
import truth  # noqa: E402

IDLE_LIMIT_S = 10


class Observed:
    """One run of blind_spots.py: what it says, and what heapwhy sees."""

    def __init__(self, interpreter):
        lines = []
        self.version = interpreter.version
        script = os.path.join(HERE, "blind_spots.py")
        with support.ready_target(interpreter, script, sink=lines.append) as process:
            self.graph = truth.read_ndjson(support.heapwhy("text", "--ndjson", process.pid).split("\n"))
            self.types = support.heapwhy_json("types", "--json", process.pid)["types"]
            self.at_end = [support.heapwhy_json("holders", "--json", process.pid, hex(address))
                           for address in json.loads(lines[-1])["end"]]
            self.holders = support.heapwhy_json("holders", "--json", process.pid,
                                                "__main__.OnlyInThread")
        self.facts = json.loads(lines[-1])

    def below(self, address):
        """Addresses of all objects under address, not through types."""
        seen, todo = set(), [address]
        while todo:
            here = todo.pop()
            if here in seen or here not in self.graph:
                continue
            seen.add(here)
            todo.extend(to for to, label in self.graph[here].refs if label != "__class__")
        return seen


@pytest.fixture(scope="module", params=support.every_interpreter(), ids=lambda i: i.name)
def observed(request):
    return Observed(request.param)


def test_floats_under_tuples_and_dicts(observed):
    found = {name: sum(observed.graph[a].type == "float" for a in observed.below(address))
             for name, (address, _) in observed.facts["floats"].items()}
    assert found == {name: count for name, (_, count) in observed.facts["floats"].items()}


def test_float_total(observed):
    row = [r for r in observed.types if r["type"] == "float"][0]
    assert row["objects"] >= sum(count for _, count in observed.facts["floats"].values())
    assert row["bytes"] == 24 * row["objects"]


def test_counts_after_freeze(observed):
    found = {row["type"]: row["objects"] for row in observed.types}
    wanted = observed.facts["counts"]
    assert {name: found.get(name, 0) for name in wanted} == wanted


def test_sizes_of_shared_and_inline_attributes(observed):
    wrong = [(hex(address), kind, size, observed.graph[address].size)
             for address, size, kind in observed.facts["sizes"]
             if observed.graph[address].size != size]
    assert not wrong, "address, type, sys.getsizeof, read"


def test_weak_references_are_no_edges(observed):
    for address in observed.facts["weak"]:
        assert observed.facts["watched"] not in observed.below(address)
    strong = [address for address, node in observed.graph.items()
              if any(to == observed.facts["watched"] for to, _ in node.refs)
              and node.type != "frame"]
    assert not strong, "only a local of main() holds it"


def test_user_types_with_names_of_builtins(observed):
    for address, name in observed.facts["fakes"]:
        assert observed.graph[address].type == name
        assert observed.facts["marker"] in observed.below(address), name
        labels = [label for to, label in observed.graph[address].refs if label.startswith("+")]
        assert not labels, "a Python class needs no scan of words"


def test_held_by_a_local_of_another_thread(observed):
    chains = observed.holders["objects"][0]["chains"]
    assert chains, "no chain from a root"
    path = chains[0]["path"]
    assert path.startswith("<hold() at blind_spots.py:"), path
    assert path.endswith(" in keeper>.only_here"), path


def test_kept_for_the_end_of_a_thread(observed):
    assert bool(observed.at_end) == (tuple(map(int, observed.version.split("."))) < (3, 13))
    for told in observed.at_end:
        steps = told["objects"][0]["chains"][0]["steps"]
        assert any(step["edge"] == "end-of-thread reference" for step in steps), steps


@pytest.mark.parametrize("how", ["sleep", "accept", "read", "lock", "poll", "pause"])
@pytest.mark.parametrize("interpreter", support.every_interpreter(), ids=lambda i: i.name)
def test_idle_process(interpreter, how):
    with support.ready_target(interpreter, os.path.join(HERE, "idle.py"), how) as process:
        time.sleep(0.2)
        start = time.monotonic()
        types = support.heapwhy_json("types", "--json", process.pid, timeout=IDLE_LIMIT_S)["types"]
        assert time.monotonic() - start < IDLE_LIMIT_S
        assert process.poll() is None
    assert {row["type"]: row["objects"] for row in types}["__main__.Idler"] == 17
