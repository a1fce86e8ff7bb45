# SPDX-License-Identifier: Apache-2.0
"""The part of the object graph around some objects, level after level: what pictures are made of."""
import gc
from collections import Counter
from types import CodeType
from typing import Any, Callable, Iterable, List, Optional, Sequence, Set

from heapwhy import _heapwhy

# Of a list of objects a list of neighbours for each; the ids are of objects that are none.
Neighbours = Callable[[List[Any], Set[int]], List[Sequence[Any]]]


class Node:
    """An object that was reached. next: numbers of the nodes that it leads to; skipped: how many more,
    skipped_types: of which types (short names). Numbers, so that nodes are gone when nobody has them any
    more, and no later walk meets them."""
    __slots__ = ("object", "depth", "next", "skipped", "skipped_types")

    def __init__(self, obj: Any, depth: int):
        self.object = obj
        self.depth = depth
        self.next: List[int] = []
        self.skipped = 0
        self.skipped_types: Counter = Counter()


def referrers_of(objects: List[Any], ignored: Set[int]) -> List[Sequence[Any]]:
    return _heapwhy.referrers(objects, ignored)


def referents_of(objects: List[Any], ignored: Set[int]) -> List[Sequence[Any]]:
    """As gc.get_referents(), which leaves out the keys of dicts that have str keys only; each once."""
    found = []
    for obj in objects:
        others = _heapwhy.referents(obj) if type(obj) is CodeType else gc.get_referents(obj)
        found.append(list({id(other): other for other in others}.values()))
    return found


def walk(objs: Iterable[Any], neighbours: Neighbours, *, max_depth: int, too_many: int,
         max_nodes: Optional[int] = None, ignore: Iterable[int] = (),
         accept: Optional[Callable[[Any], Any]] = None, stop: Optional[Callable[[Any], Any]] = None) -> List[Node]:
    """The nodes within max_depth steps of objs, breadth first.

    neighbours  referrers_of, referents_of, or a function like these
    too_many    of one node more neighbours than that are counted only
    max_nodes   so are those that would be more nodes than that
    ignore      ids of objects that are not there
    accept      false: the object is not there
    stop        true: the walk does not go on from that object
    """
    nodes: List[Node] = []
    index = {}
    ignored = set(ignore)

    def number_of(obj: Any, depth: int) -> Optional[int]:
        number = index.get(id(obj))
        if number is None and (max_nodes is None or len(nodes) < max_nodes):
            number = index[id(obj)] = len(nodes)
            nodes.append(Node(obj, depth))
            ignored.add(id(nodes[-1]))
        return number

    for obj in objs:
        number_of(obj, 0)
    begin = 0
    for depth in range(1, max_depth + 1):
        level = [node for node in nodes[begin:] if stop is None or not stop(node.object)]
        if not level:
            break
        begin = len(nodes)
        objects = [node.object for node in level]
        found = neighbours(objects, ignored)
        for node, others in zip(level, found):
            for other in others:
                if id(other) in ignored or (accept is not None and not accept(other)):
                    continue
                number = number_of(other, depth) if len(node.next) < too_many else None
                if number is None:
                    node.skipped += 1
                    node.skipped_types[type(other).__name__] += 1
                else:
                    node.next.append(number)
        objects = found = others = other = None  # they refer to what the next level asks about
    return nodes
