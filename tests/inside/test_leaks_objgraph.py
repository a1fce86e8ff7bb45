# SPDX-License-Identifier: Apache-2.0
"""Searches, chains and pictures leave no reference and no block behind."""
import os

import pytest
from support import counting_pythons, python_inside

HERE = os.path.dirname(os.path.abspath(__file__))
SETUP = """
import sys
sys.path.insert(0, %r)
import leakcheck
import heapwhy
from heapwhy import _heapwhy

class Thing:
    pass

class Slots:
    __slots__ = ("held",)

thing = Thing()
holders = [thing, {"a": thing, thing: 1}, (thing,), {thing}]
thing.me = holders
slots = Slots()
slots.held = thing
number = float("0.125")
calls = leakcheck.HEAP_CALLS
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

""" % HERE

IN_C = SETUP + """
leakcheck.check({
    "edges": lambda: [_heapwhy.edges(source, thing) for source in (*holders, slots, generator, thing, len)],
    "edges of a class": lambda: _heapwhy.edges(thing, Thing),
    "referents": lambda: (_heapwhy.referents(holders), _heapwhy.referents(generate.__code__)),
    "is_module": lambda: (_heapwhy.is_module(sys), _heapwhy.is_module(1)),
    "addresses_minus": lambda: _heapwhy.addresses_minus(b"12345678abcdefgh", b"12345678"),
    "type_counts of a list": lambda: _heapwhy.type_counts(holders),
    "referents, named": lambda: heapwhy.referents(holders),
    "wrong arguments": lambda: (swallow(_heapwhy.edges, 1), swallow(_heapwhy.referrers, 1),
                                swallow(_heapwhy.unreferred, 1), swallow(_heapwhy.find_chain, 1),
                                swallow(_heapwhy.instances, 1), swallow(_heapwhy.type_counts, 1)),
})
leakcheck.check({
    "type_counts": lambda: _heapwhy.type_counts(None),
    "addresses": lambda: _heapwhy.addresses(),
    "instances": lambda: _heapwhy.instances([Thing]),
    "tracked_at": lambda: _heapwhy.tracked_at([id(thing), 1, -1, 1 << 70, "x"]),
    "unreferred": lambda: _heapwhy.unreferred(None),
    "unreferred of some": lambda: _heapwhy.unreferred(holders),
    "referrers": lambda: heapwhy.referrers(thing),
    "referrers of what is not tracked": lambda: heapwhy.referrers(number),
    "chain": lambda: heapwhy.chain(thing),
    "chain by a function": lambda: heapwhy.chain(thing, lambda obj: obj is holders),
    "chain forward": lambda: heapwhy.chain(holders, lambda obj: obj is thing, backward=False),
    "chain that fails": lambda: swallow(heapwhy.chain, thing, fails),
}, calls)
"""

IN_PYTHON = SETUP + """
import io
import heapwhy.compat.objgraph as objgraph

def print_into(function, *args, **options):
    return function(*args, file=io.StringIO(), **options)

leakcheck.check({
    "show_refs": lambda: heapwhy.show_refs(holders, max_depth=1, refcounts=True),
    "show_chain": lambda: heapwhy.show_chain([holders, thing]),
    "objgraph.show_refs": lambda: objgraph.show_refs(holders, max_depth=1, output=io.StringIO()),
    "objgraph.show_chain": lambda: objgraph.show_chain([holders, thing], backrefs=False, output=io.StringIO()),
    "find_ref_chain": lambda: objgraph.find_ref_chain(holders, lambda obj: obj is thing),
    "most_common_types": lambda: print_into(objgraph.show_most_common_types, objects=holders),
})
leakcheck.check({
    "show_backrefs": lambda: heapwhy.show_backrefs(thing, max_depth=1),
    "objgraph.show_backrefs": lambda: objgraph.show_backrefs(thing, max_depth=1, output=io.StringIO()),
    "find_backref_chain": lambda: objgraph.find_backref_chain(thing, objgraph.is_proper_module),
    "find_backref_chain that fails": lambda: swallow(objgraph.find_backref_chain, thing, fails),
    "typestats": lambda: objgraph.typestats(),
    "growth": lambda: print_into(objgraph.show_growth, peak_stats={}, collect=False),
    "get_new_ids": lambda: objgraph.get_new_ids(limit=0, collect=False),
    "get_leaking_objects": lambda: objgraph.get_leaking_objects(),
    "by_type": lambda: (objgraph.by_type("Thing"), objgraph.count("Thing"), objgraph.at(id(thing))),
}, calls)
"""


@pytest.mark.parametrize("program", [IN_C, IN_PYTHON], ids=["C", "Python"])
@pytest.mark.skipif("HEAPWHY_LEAK_CALLS" not in os.environ, reason="takes long: make leaks")
@pytest.mark.parametrize("python", counting_pythons())
def test_nothing_is_left_behind(python, program):
    python_inside(program, python, timeout=2400)
