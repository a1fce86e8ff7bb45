# SPDX-License-Identifier: Apache-2.0
"""Questions about live objects: who refers to whom, chains, counts by type."""
import sys

import heapwhy
from heapwhy import _heapwhy, arguments, edges, holder, naming, walks
from things import Slots, Thing, fails, generate, generator, holders, number, slots, swallow, thing

CASES = {
    "edges": lambda: [_heapwhy.edges(source, thing) for source in (*holders, slots, generator, thing, len)],
    "edges of a class": lambda: _heapwhy.edges(thing, Thing),
    "edges_from": lambda: [_heapwhy.edges_from(source) for source in (holders, thing, Slots, fails, generator)],
    "referents": lambda: (_heapwhy.referents(holders), _heapwhy.referents(generate.__code__)),
    "is_module": lambda: (_heapwhy.is_module(sys), _heapwhy.is_module(1)),
    "addresses_minus": lambda: _heapwhy.addresses_minus(b"12345678abcdefgh", b"12345678"),
    "type_counts of a list": lambda: _heapwhy.type_counts(holders),
    "census of a list": lambda: _heapwhy.census(holders),
    "referents, named": lambda: [repr(reference) for reference in heapwhy.referents(holders)],
    "texts of edges": lambda: (edges.spell("key", "a"), edges.short(holders), edges.describe(thing), edges.named(thing, holders)),
    "names": lambda: (naming.type_name(Thing), naming.name_of_type(thing)),
    "checks of arguments": lambda: (arguments.whole("n", 5, 1), swallow(arguments.whole, "n", "x"), arguments.seconds("s", 1.5),
                                    swallow(arguments.seconds, "s", "x"), arguments.function("f", len),
                                    arguments.function_or_none("f", None), swallow(arguments.function, "f", 5),
                                    arguments.process(1), swallow(arguments.process, -1), arguments.number_option(1)("5")),
    "wrong arguments": lambda: (swallow(_heapwhy.edges, 1), swallow(_heapwhy.referrers, 1), swallow(_heapwhy.unreferred, 1),
                                swallow(_heapwhy.find_chain, 1), swallow(_heapwhy.instances, 1),
                                swallow(_heapwhy.type_counts, 1), swallow(_heapwhy.census, 1), swallow(_heapwhy.objects_at, 1),
                                swallow(_heapwhy.objects_at, ["x"])),
    # a walk over the heap each
    "census": lambda: (_heapwhy.census(), _heapwhy.census(tracked=True, sizes=False)),
    "census of all": lambda: _heapwhy.census(own=True),
    "type_counts": lambda: _heapwhy.type_counts(None),
    "addresses": _heapwhy.addresses,
    "instances": lambda: _heapwhy.instances([Thing]),
    "objects_at": lambda: _heapwhy.objects_at([id(thing), 1, id(number)]),
    "tracked_at": lambda: _heapwhy.tracked_at([id(thing), 1, -1, 1 << 70, "x"]),
    "unreferred": lambda: _heapwhy.unreferred(None),
    "unreferred of some": lambda: _heapwhy.unreferred(holders),
    "referrers": lambda: heapwhy.referrers(thing),
    "referrers of what is not tracked": lambda: heapwhy.referrers(number),
    "chain": lambda: repr(heapwhy.chain(thing)),
    "chain, its parts": lambda: (lambda chain: (len(chain), chain[0], chain.links, chain.spelled))(heapwhy.chain(thing)),
    "chain by a function": lambda: heapwhy.chain(thing, lambda obj: obj is holders),
    "chain forward": lambda: heapwhy.chain(holders, lambda obj: obj is thing, backward=False),
    "chain that fails": lambda: swallow(heapwhy.chain, thing, fails),
    "walk": lambda: (walks.walk([holders], walks.referents_of, max_depth=2, too_many=3),
                     walks.walk([thing], walks.referrers_of, max_depth=1, too_many=3)),
    "holder_path": lambda: (holder.holder_path(thing), holder.holder_chain(thing), holder.step(thing, holders)),
}
