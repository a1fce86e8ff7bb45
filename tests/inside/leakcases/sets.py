# SPDX-License-Identifier: Apache-2.0
"""Heap sets, their parts, what holds their members."""
import heapwhy
from heapwhy import HeapSet, _heapwhy, partition, ways
from things import Thing, fails, holders, swallow, thing

some, one = heapwhy.heapset(holders + [thing, thing.__dict__]), heapwhy.heapset([thing])
addresses = sorted(map(id, holders))
everything = heapwhy.heap()
parts, other_parts = some.by_class(), one.by_class()


def table(part):
    return (repr(part), part._repr_html_(), part.to_dicts(), len(part), part[0], part[0].kind, part[part.rows[0].kind], part[:2],
            part.rows[0].to_dict(), repr(part.rows[0]), part.table(limit=1), part.title(), part.totals())


CASES = {
    "heapset": lambda: (heapwhy.heapset(holders), HeapSet.of(holders), HeapSet._from_addresses(addresses)),
    "operators": lambda: (some & one, some | one, some - one, some ^ one, some == one, some <= one, some > one, thing in some,
                          len(some), bool(some)),
    "addresses": lambda: (some.addresses(), some.addresses(1), some._addresses(0, 3)),
    "wrong arguments": lambda: (swallow(heapwhy.heapset, 5), swallow(HeapSet._from_addresses, ["x"]), swallow(some._objects, "x"),
                                swallow(_heapwhy.partition, some, "nonsense"), swallow(_heapwhy.partition, 5, "type"),
                                swallow(_heapwhy.shortest_paths, 5), swallow(_heapwhy.reference_pattern, 5),
                                swallow(HeapSet._heap, 5, 5)),
    "by_site, not traced": lambda: swallow(some.by_site),
    "table of parts": lambda: table(parts),
    "texts of parts": lambda: (partition.class_text((dict, Thing)), partition.key_text("via", {".a"}), partition.clip("abc", 2),
                               partition.number_text(1000), partition.percent(1, 2),
                               swallow(partition.Table().title)),
    "growth of parts": lambda: table_of_growth(parts.diff(other_parts)),
    # a walk over the heap each
    "heap": heapwhy.heap,
    "heap since": lambda: heapwhy.heap(since=everything),
    "heap, own": lambda: heapwhy.heap(own=True),
    "objects": some.objects,
    "alive": lambda: some.alive,
    "records": lambda: [repr(record) for record in some],
    "record.object": lambda: next(iter(one)).object,
    "to_dicts": some.to_dicts,
    "the_one": lambda: one.the_one,
    "the_one, of several": lambda: swallow(lambda: some.the_one),
    "of_type": lambda: some.of_type(Thing),
    "& type": lambda: some & Thing,
    "count": lambda: some.count,
    "size": lambda: some.size,
    "dominated_size": lambda: some.dominated_size,
    "referrers": lambda: one.referrers,
    "referents": lambda: one.referents,
    "owners": lambda: some.owners,
    "reachable": lambda: one.reachable,
    "unreachable": lambda: one.unreachable,
    "dominated": lambda: one.dominated,
    "immediate_dominators": lambda: one.immediate_dominators,
    "by_type": some.by_type,
    "by_class": some.by_class,
    "texts of a set": lambda: (repr(some), some._repr_html_()),
    "by_module": some.by_module,
    "by_size": some.by_size,
    "by_referrers": some.by_referrers,
    "by_via": some.by_via,
    "by_id": some.by_id,
    "by_unity": some.by_unity,
    "shortest_paths": lambda: told(one.shortest_paths()),
    "shortest_paths from and around": lambda: one.shortest_paths(from_=some, avoid=heapwhy.heapset([fails]), limit=3),
    "reference_pattern": lambda: pattern(one.reference_pattern(depth=3)),
}


def table_of_growth(growth):
    return repr(growth), growth._repr_html_(), len(growth), growth[0], growth.title()


def told(found):
    return (repr(found), found._repr_html_(), found.to_dicts(), len(found), found[0].text, repr(found[0]), len(found[0]),
            list(found), ways.path_of(None))


def pattern(found):
    return (repr(found), found._repr_html_(), found.to_dicts(), len(found), found[0], repr(found.node(0)), found[0].to_dict())
