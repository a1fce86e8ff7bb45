# SPDX-License-Identifier: Apache-2.0
"""The comparison behind test_truth.py notices each kind of difference, on graphs written by hand."""
import copy

import truth

A, B, C, D = 0x1000, 0x2000, 0x3000, 0x4000
V311, V313 = 0x030b02f0, 0x030d00f0


def dump(version=V311, **objects):
    lines = [b"v %x 200\n" % version]
    for name, (address, kind, refs) in sorted(objects.items()):
        text = "o %x 40 builtins.%s %s\n" % (address, kind, ",".join("%x" % r for r in refs))
        lines.append(text.encode())
    return truth.Dump(lines)


BASE = {"a": (A, "list", [B, B, C]), "b": (B, "tuple", []), "d": (D, "dict", [C])}
GRAPH = {
    A: truth.Outside("list", 64, True, [(B, "[0]"), (C, "[1]"), (B, "[2]"), (0x99, "__class__")]),
    B: truth.Outside("tuple", 64, True, []),
    C: truth.Outside("str", 50, False, []),
    D: truth.Outside("dict", 64, True, [(C, "<key>"), (C, "['c']")]),
}


def changed(address, **fields):
    graph = copy.deepcopy(GRAPH)
    graph[address] = graph[address]._replace(**fields)
    return graph


def compare(graph, version=V311, **objects):
    return truth.Comparison(dump(version, **(objects or BASE)), graph)


def test_agreement_with_exceptions():
    result = compare(GRAPH)
    assert result.right(), "\n".join(result.report())
    assert (result.edges_inside, result.edges_agreed) == (4, 4)
    assert sum(result.rules.used.values()) == 2


def test_lost_invented_untracked():
    graph = copy.deepcopy(GRAPH)
    del graph[B]
    graph[0x5000] = truth.Outside("list", 64, True, [])
    result = compare(graph)
    assert (result.lost, result.invented, result.right()) == ([B], [0x5000], False)
    assert compare(changed(B, tracked=False)).not_tracked == [B]


def test_wrong_type_and_size():
    assert compare(changed(B, type="list")).wrong_type == [B]
    assert compare(changed(B, size=72)).wrong_size == [B]


def test_edges_are_a_multiset():
    once = compare(changed(A, refs=[(B, "[0]"), (C, "[1]")]))
    assert once.missing == {A: {B: 1}} and not once.extra
    thrice = compare(changed(A, refs=[(B, "[0]")] * 3 + [(C, "[1]")]))
    assert thrice.extra == {A: {B: 1}} and not thrice.missing
    assert any("extra" in line for line in thrice.report())


def test_scanned_words_are_not_forgiven():
    assert not compare(changed(B, refs=[(A, "+24")])).right()


def test_dict_that_shares_values():
    objects = {"a": (A, "Plain", [C]), "d": (D, "dict", [])}
    graph = {
        A: truth.Outside("Plain", 64, True, [(C, "c"), (D, "__dict__")]),
        D: truth.Outside("dict", 64, True, []),
        C: GRAPH[C],
    }
    assert compare(graph, V313, **objects).right()
    assert not compare(graph, V311, **objects).right(), "the rule starts with 3.13"


def test_values_seen_from_the_dict():
    graph = {
        A: truth.Outside("Plain", 64, True, [(C, "c"), (D, "__dict__")]),
        D: truth.Outside("dict", 64, True, []),
        C: GRAPH[C],
    }
    objects = {"a": (A, "Plain", [D]), "d": (D, "dict", [C])}
    assert compare(graph, V313, **objects).right()
    assert not compare(graph, V311, **objects).right(), "the rule starts with 3.13"
    lost = dict(objects, d=(D, "dict", [C, C]))
    assert compare(graph, V313, **lost).missing == {D: {C: 1}}


def test_unstable_objects_are_left_out():
    told = truth.Dump([b"v %x 200\n" % V311, b"o %x 40 builtins.list \n" % A, b"u %x changed\n" % A])
    assert not told.objects and truth.Comparison(told, {A: GRAPH[A]}).right()
