# SPDX-License-Identifier: Apache-2.0
"""Searches, chains and pictures leave no reference and no block behind, each after 10,000 calls."""
import os

import pytest
from support import package_pythons, python_inside

HERE = os.path.dirname(os.path.abspath(__file__))
# The heap is made small before: most of these look at all of it. Frozen objects are looked at, too, so
# nothing is frozen; only few modules are imported.
PROGRAM = """
import gc, io, sys
sys.path.insert(0, %r)
import leakcheck
import heapwhy
from heapwhy import _heapwhy, edges, pictures
import heapwhy.compat.objgraph as objgraph

class Thing:
    pass

class Slots:
    __slots__ = ("held",)

thing = Thing()
holders = [thing, {"a": thing, thing: 1}, (thing,), {thing}]
thing.me = holders
slots = Slots()
slots.held = thing
def generate(local):
    yield local
generator = generate(thing)
next(generator)

def fails(obj):
    raise KeyError

def swallow(function, *args):
    try:
        function(*args)
    except (KeyError, TypeError):
        pass

EXACT = {
    "edges": lambda: [_heapwhy.edges(source, thing) for source in (*holders, slots, generator, thing, len)],
    "edges of a class": lambda: _heapwhy.edges(thing, Thing),
    "referents": lambda: (_heapwhy.referents(holders), _heapwhy.referents(generate.__code__)),
    "is_module": lambda: (_heapwhy.is_module(sys), _heapwhy.is_module(1)),
    "addresses_minus": lambda: _heapwhy.addresses_minus(b"12345678abcdefgh", b"12345678"),
    "type_counts of a list": lambda: _heapwhy.type_counts(holders),
    "referents, named": lambda: heapwhy.referents(holders),
    "show_refs": lambda: heapwhy.show_refs(holders, max_depth=1, refcounts=True),
    "show_chain": lambda: heapwhy.show_chain([holders, thing]),
    "objgraph.show_refs": lambda: objgraph.show_refs(holders, max_depth=1, output=io.StringIO()),
    "find_ref_chain": lambda: objgraph.find_ref_chain(holders, lambda obj: obj is thing),
    "a predicate that fails": lambda: swallow(objgraph.find_ref_chain, holders, fails),
    "wrong arguments": lambda: (swallow(_heapwhy.edges, 1), swallow(_heapwhy.referrers, 1), swallow(_heapwhy.unreferred, 1),
                                swallow(_heapwhy.find_chain, 1), swallow(_heapwhy.instances, 1), swallow(_heapwhy.type_counts, 1)),
}
# A walk over the whole heap each.
HEAP = {
    "type_counts": lambda: _heapwhy.type_counts(None),
    "addresses": lambda: _heapwhy.addresses(),
    "instances": lambda: _heapwhy.instances([Thing]),
    "objects_at": lambda: _heapwhy.objects_at([id(thing), 1, -1, 1 << 70, "x"]),
    "unreferred": lambda: _heapwhy.unreferred(None),
    "unreferred of some": lambda: _heapwhy.unreferred(holders),
    "referrers": lambda: heapwhy.referrers(thing),
    "find_chain": lambda: heapwhy.chain(thing),
    "find_chain by a function": lambda: heapwhy.chain(thing, lambda obj: obj is holders),
    "find_backref_chain that fails": lambda: swallow(objgraph.find_backref_chain, thing, fails),
    "show_backrefs": lambda: heapwhy.show_backrefs(thing, max_depth=1),
    "objgraph.show_backrefs": lambda: objgraph.show_backrefs(thing, max_depth=1, output=io.StringIO()),
    "typestats": lambda: objgraph.typestats(),
    "growth": lambda: objgraph.growth(peak_stats={}, collect=False),
    "get_new_ids": lambda: objgraph.get_new_ids(limit=0, collect=False),
    "by_type": lambda: (objgraph.by_type("Thing"), objgraph.count("Thing"), objgraph.at(id(thing))),
}
leakcheck.check(EXACT)
leakcheck.check(HEAP, calls=int(sys.argv[1]))
# Of an object that is not tracked everything alive is looked at.
number = float("0.125")
leakcheck.check({"referrers of an untracked object": lambda: heapwhy.referrers(number)}, calls=int(sys.argv[1]) // 10)
""" % HERE


@pytest.mark.parametrize("python", package_pythons())
def test_nothing_is_left_behind(python):
    calls = 10_000 if python.endswith("-dbg") is False and python.startswith("/usr/bin") else 1_000
    python_inside(PROGRAM, python, args=[calls], timeout=900)
