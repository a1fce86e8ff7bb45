# SPDX-License-Identifier: Apache-2.0
"""Buffers, arrays and trees of C nodes read from outside are what the process itself says."""
import json
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

LEAST_PLAIN, LEAST_NUMPY, LEAST_LXML = 14, 28, 4
# Interpreters of the user's, with numpy and lxml of other versions: paths with colons between them.
MORE = [support.PlainInterpreter(path)
        for path in os.environ.get("HEAPWHY_NATIVE_PYTHONS", "").split(":") if path]


def read(interpreter, path):
    """What the target says, and what a snapshot of it says, by address. The snapshot is in path."""
    lines = []
    script = os.path.join(HERE, "probe_native.py")
    with support.ready_target(interpreter, script, sink=lines.append) as process:
        support.heapwhy("snapshot", "-o", path, process.pid)
    rows = (json.loads(line) for line in support.heapwhy("text", "--ndjson", path).split("\n") if line)
    return [json.loads(line) for line in lines], {row["addr"]: row for row in rows}


def targets(row, label):
    return [ref["to"] for ref in row["refs"] if ref["label"] == label]


def item_targets(row):
    return [ref["to"] for ref in row["refs"] if ref["label"].startswith("[")]


def document_of(graph, row):
    return graph[targets(row, "<_doc>")[0]]


def wrong_amount(fact, amount, name):
    least = fact.get(name, fact.get(name + "_least", 0))
    most = fact.get(name, fact.get(name + "_most", amount))
    if not least <= amount <= most:
        yield "%s is %d instead of %d to %d" % (name, amount, least, most)


def wrong(graph, fact):
    row = graph.get(fact["id"])
    if row is None:
        yield "not found"
        return
    if row["size"] != fact["size"]:
        yield "size is %d instead of %d" % (row["size"], fact["size"])
    yield from wrong_amount(fact, row.get("native_bytes", 0), "native")
    if "document_least" in fact:
        yield from wrong_amount(fact, document_of(graph, row).get("native_bytes", 0), "document")
    for name in ("base", "dtype"):
        if name in fact and targets(row, name) != ([fact[name]] if fact[name] else []):
            yield "%s is %s instead of %s" % (name, targets(row, name), fact[name])
    if "items" in fact and item_targets(row) != fact["items"]:
        yield "items differ: %d instead of %d" % (len(item_targets(row)), len(fact["items"]))


@pytest.mark.parametrize("interpreter", list(support.interpreters()) + MORE, ids=lambda i: i.name)
def test_native(interpreter, capsys, tmp_path):
    facts, graph = read(interpreter, tmp_path / "probe.hwsnap")
    found = ["%s: %s" % (fact["name"], one) for fact in facts for one in wrong(graph, fact)]
    assert not found, "\n".join(found)
    arrays = sum("dtype" in fact for fact in facts)
    trees = sum("lxml" in fact["name"] for fact in facts)
    with capsys.disabled():
        print("\n%s: %d right, %d arrays and %d elements of lxml among them" % (
            interpreter.name, len(facts), arrays, trees))
    assert len(facts) >= LEAST_PLAIN
    if interpreter.name == "system-3.11" or interpreter in MORE:
        assert arrays >= LEAST_NUMPY and trees >= LEAST_LXML


def description(path, fact):
    return support.heapwhy_json("show", "--json", path, hex(fact["id"]))["objects"][0]["value"]


def test_arrays_and_elements_describe_themselves(tmp_path):
    path = tmp_path / "probe.hwsnap"
    facts, _ = read(support.interpreters()[0], path)
    by_name = {fact["name"]: fact for fact in facts}
    assert description(path, by_name["slice"]) == "nbytes=576 shape=(2, 3, 12)"
    assert description(path, by_name["0-d"]) == "nbytes=8 shape=()"
    assert description(path, by_name["read-only"]) == "nbytes=800 shape=(100,)"
    assert description(path, by_name["memoryview"]) == "nbytes=15"
    assert description(path, by_name["lxml element in a document of 10"]) == "<root>, root"


def test_no_byte_is_counted_twice(tmp_path):
    """Views of one buffer, and a BytesIO's buffer, add nothing to it."""
    facts, graph = read(support.interpreters()[0], tmp_path / "probe.hwsnap")
    views = [fact for fact in facts if "view" in fact["name"] and "nbytes" not in fact]
    assert views and all(graph[fact["id"]].get("native_bytes", 0) == 0 for fact in views)
    written = next(fact for fact in facts if fact["name"] == "BytesIO written")
    assert not [ref for ref in graph[written["id"]]["refs"] if "buf" in ref["label"]]
