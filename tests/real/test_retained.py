# SPDX-License-Identifier: Apache-2.0
"""Retained sizes of a real heap against the definition: remove the node, see what is gone.

The snapshot is read here by the second reader, which shares no code with heapwhy.
"""
import os
import random
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, TESTS)
sys.path.insert(0, os.path.join(TESTS, "format"))
import second_reader as reader  # noqa: E402
import support  # noqa: E402

LARGEST, RANDOM = 60, 60
LINKS = 450  # of the list in weighed.py
C_GLOBALS, NATIVE_STACK = 5, 6  # enum hw_synthetic_kind: words that may be no references


def synthetic_kind(chunk, _):
    kind = chunk.varint()
    chunk.string()
    chunk.string()
    for _ in range(3):
        chunk.varint()
    return kind


class Heap:
    def __init__(self, path):
        with open(path, "rb") as f:
            rows, _, self.nodes, self.objects, _ = reader.read_table(f.read())
        self.rows = rows
        labels = reader.elements(rows["label"], reader.label)
        to = reader.targets(rows["target"], labels)
        self.edges, at = [], 0
        for degree in reader.elements(rows["degree"], reader.plain):
            self.edges.append(to[at:at + degree])
            at += degree
        kinds = reader.elements(rows["synth"], synthetic_kind)
        self.guesses = [self.objects + i for i, kind in enumerate(kinds)
                        if kind in (C_GLOBALS, NATIVE_STACK)]
        self.drop_guesses()
        self.addresses = self.read_addresses()
        self.sizes = reader.elements(rows["size"], reader.plain)
        for node, size in reader.elements(
                rows["big"], lambda c, b: ((b[0] if b else 0) + c.varint(), c.varint())):
            self.sizes[node] = size

    def drop_guesses(self):
        """What is reached without guesses is referred to by nothing that is reached by them alone."""
        root = self.nodes - 1
        guesses = set(self.guesses)
        for node in range(self.objects, self.nodes):
            self.edges[node] = [to for to in self.edges[node] if to not in guesses]
        sure = self.reached()
        for node in range(self.nodes):
            if not sure[node]:
                self.edges[node] = [to for to in self.edges[node] if not sure[to]]
        self.edges[root] = self.edges[root] + self.guesses

    def read_addresses(self):
        spans = reader.elements(
            self.rows["spans"],
            lambda c, b: (s := (b[1] if b else 0) + c.varint(), s + c.varint(), c.varint()))
        addresses, span, first = [], 0, 0
        for where in reader.elements(self.rows["where"], reader.rising):
            while where - first >= (spans[span][1] - spans[span][0]) >> spans[span][2]:
                first += (spans[span][1] - spans[span][0]) >> spans[span][2]
                span += 1
            addresses.append(spans[span][0] + ((where - first) << spans[span][2]))
        return addresses

    def reached(self, without=None):
        """One byte a node."""
        seen = bytearray(self.nodes)
        root = self.nodes - 1
        waiting = [root]
        seen[root] = 1
        if without is not None:
            seen[without] = 1
        while waiting:
            for to in self.edges[waiting.pop()]:
                if not seen[to]:
                    seen[to] = 1
                    waiting.append(to)
        if without is not None:
            seen[without] = 0
        return seen


@pytest.fixture(scope="module", params=support.interpreters(), ids=lambda i: i.name)
def snapshot(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("retained") / "a.hwsnap"
    with support.ready_target(request.param, os.path.join(HERE, "weighed.py")) as process:
        support.heapwhy("snapshot", process.pid, "-o", path)
    return path


@pytest.fixture(scope="module")
def heap(snapshot):
    return Heap(snapshot)


@pytest.fixture(scope="module")
def branches(snapshot):
    """Every branch of the whole tree."""
    return support.heapwhy_json("tree", "--json", "--all", "--depth", 1000, snapshot)["branches"]


def test_the_tree_has_every_object_once(heap, branches):
    reached = heap.reached()
    addresses = [int(row["addr"], 16) for row in branches if row["addr"]]
    assert not any(row["rest_objects"] for row in branches)
    assert len(set(addresses)) == len(addresses)
    assert set(addresses) == {heap.addresses[node] for node in range(heap.objects) if reached[node]}


def sample(heap, branches):
    """Nodes of the largest branches and of some others, with what heapwhy says of them."""
    node_of = {address: node for node, address in enumerate(heap.addresses)}
    objects = [row for row in branches if row["addr"]]
    objects.sort(key=lambda row: -row["retained_bytes"])
    owners = [row for row in objects[LARGEST:] if row["retained_objects"] > 1]
    chosen = objects[:LARGEST] + random.Random(4).sample(owners, RANDOM)
    return [(node_of[int(row["addr"], 16)], row) for row in chosen]


def test_retained_is_what_would_be_gone(heap, branches):
    reached = heap.reached()
    own = {int(row["addr"], 16): row["bytes"] for row in branches if row["addr"]}
    for node, row in sample(heap, branches):
        left = heap.reached(without=node)
        gone = [i for i in range(heap.objects) if reached[i] and not left[i]]
        assert row["retained_objects"] == len(gone), row
        weights = [own.get(heap.addresses[i], heap.sizes[i]) for i in gone]
        assert row["retained_bytes"] == sum(weights), row
        assert row["bytes"] >= heap.sizes[node]


def test_totals(heap, snapshot):
    answer = support.heapwhy_json("retained", "--json", snapshot)
    reached = heap.reached()
    assert answer["objects"] == heap.objects
    assert answer["unreached_objects"] == heap.objects - sum(reached[:heap.objects])
    places = answer["places"]
    assert sum(row["objects"] for row in places) == sum(reached[:heap.objects])
    assert sum(row["bytes"] for row in places) == answer["bytes"] - answer["unreached_bytes"]
    assert {row["name"] for row in places if row["kind"] == "module"} >= {"__main__", "json"}
    frames = [row for row in places if row["kind"] == "frame" and row["name"].startswith("wait_with()")]
    assert len(frames) == 3
    assert all(row["objects"] > 100 for row in frames)
    link = next(row for row in answer["types"] if row["type"] == "__main__.Link")
    assert link["objects"] == LINKS
    assert link["retained_bytes"] >= link["bytes"]
    assert link["retained_objects"] < 3 * LINKS  # each with its __dict__; not LINKS * LINKS / 2


def test_one_object_in_words(snapshot):
    text = support.heapwhy("retained", snapshot, "sys.modules['__main__'].hub.rooms")
    assert "Retains" in text and "__main__.Hub" in text
    text = support.heapwhy("tree", snapshot, "sys.modules['__main__'].hub")
    assert "__main__.Hub" in text and "rooms" in text
