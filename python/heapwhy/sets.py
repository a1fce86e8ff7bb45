# SPDX-License-Identifier: Apache-2.0
"""Sets of live objects as bitmaps: what is there, by which kinds, what it keeps alive, what holds it.

    >>> import heapwhy
    >>> before = heapwhy.heap()
    >>> ...                                     # what is suspected
    >>> new = heapwhy.heap(since=before)        # only what began to live since then
    >>> new.by_class()[0].shortest_paths()      # why the largest kind of it is alive

A set holds no reference to its members: it keeps nothing alive. What works on the members looks first
which of them are alive, by a walk of the whole heap (0.3 seconds for 7 million objects). Where a member
has died and another object begins at the same address, that one counts as a member.
"""
from __future__ import annotations

import sys
from typing import Any, Iterable, Iterator

from heapwhy import _heapwhy
from heapwhy.arguments import kind_of, whole
from heapwhy.naming import type_name
from heapwhy.partition import Partition
from heapwhy.ways import Paths, Pattern

__all__ = ["HeapSet", "Record", "heap", "heapset"]

CHUNK = 1 << 17  # objects that an iteration holds at a time, at most


def _most(limit: int | None) -> int:
    """How many to give; None: all."""
    return sys.maxsize if limit is None else min(whole("limit", limit, 0), sys.maxsize)


class Record(_heapwhy.Result):
    """A member as it was when it was met: `address` (int), `type` (class), `size` (bytes, as sys.getsizeof)."""
    __slots__ = ("address", "type", "size")

    def __init__(self, obj: object):
        self.address = id(obj)
        self.type = type(obj)
        try:
            self.size = sys.getsizeof(obj)
        except Exception:  # a __sizeof__ of the program's
            self.size = object.__sizeof__(obj)

    @property
    def object(self) -> object:
        """The live object; NotFoundError when it is gone. Walks the heap to know."""
        for obj in HeapSet._from_addresses([self.address])._objects(0, 1):
            if type(obj) is self.type:
                return obj
        raise _heapwhy.NotFoundError("the %s at %#x is not alive any more" % (type_name(self.type), self.address))

    def __repr__(self) -> str:
        return "<%s at %#x, %d bytes>" % (type_name(self.type), self.address, self.size)


class HeapSet(_heapwhy.HeapSet):
    """A set of objects of this process, one bit for each: heap(), heapset(), HeapSet.of().

    Sets: `a & b`, `a | b`, `a - b`, `a ^ b`, `==`, `<=`, `<`; `obj in a` (by identity), `len(a)`, `if a`.
    `a & SomeClass` is what is exactly of this class. Iterating gives a Record for each member that is
    alive, in address order.

    >>> s = heapwhy.heapset([a, b])
    >>> s.count, s.size, s.dominated_size
    (2, 112, 8264)

    Every question but those of the first line walks the heap while it holds the interpreter. Heapwhy's own
    objects are in no answer; `own=True`, where there is such an argument, lets them in.
    """
    __slots__ = ("_kind",)

    @classmethod
    def of(cls, objects: Iterable[Any]) -> HeapSet:
        """The set of these objects (an iterable). Whatever else holds them must keep them alive."""
        try:
            members = iter(objects)
        except TypeError:
            raise TypeError("the objects of a set are given in a list: [obj], not as %s" % kind_of(objects)) from None
        return cls(members)

    def __and__(self, other: HeapSet | type) -> HeapSet:  # type: ignore[override]
        if isinstance(other, type):
            return self.of_type(other)
        return _heapwhy.HeapSet.__and__(self, other)

    @property
    def kind(self) -> Any:
        """Of a part of a partition: the key of its row; None for other sets."""
        return getattr(self, "_kind", None)

    @property
    def count(self) -> int:
        """Members that are alive. len() counts those that have died, too, and costs nothing."""
        return self._weigh()[0]

    @property
    def size(self) -> int:
        """Bytes of the members that are alive: the sum of sys.getsizeof() over them."""
        return self._weigh()[1]

    @property
    def alive(self) -> HeapSet:
        """The members that are alive now."""
        return self._alive()

    def objects(self, limit: int | None = None) -> list[Any]:
        """The members that are alive, in address order, as a list, which keeps them alive."""
        return self._objects(0, _most(limit))

    def addresses(self, limit: int | None = None) -> list[Any]:
        """The addresses of all members, alive or not, ascending."""
        return self._addresses(0, _most(limit))

    @property
    def the_one(self) -> object:
        """The only member, as an object; NotFoundError when not exactly one is alive."""
        objects = self._objects(0, 2)
        if len(objects) != 1:
            raise _heapwhy.NotFoundError("%s members are alive, not one" % ("several" if objects else "no"))
        return objects[0]

    def __iter__(self) -> Iterator[Record]:
        start, limit = 0, 1024
        while True:
            records = [Record(obj) for obj in self._objects(start, limit)]
            yield from records
            if len(records) < limit:
                return
            start = records[-1].address + 1
            limit = min(limit * 8, CHUNK)

    def of_type(self, cls: type) -> HeapSet:
        """The members that are exactly of this class."""
        parts = _heapwhy.partition(self, "type")
        return parts.select(HeapSet, tuple(row[0] for row in parts.rows if row[1] is cls))

    # Partitions

    def by_type(self) -> Partition:
        """By type(object). Largest first, as every partition."""
        return Partition(self, "type")

    def by_class(self) -> Partition:
        """By type; a dict by the class of the object whose attributes it holds: "dict of app.Session"."""
        return Partition(self, "class")

    def by_module(self) -> Partition:
        """By the module of a function or class, and for other objects by that of their class."""
        return Partition(self, "module")

    def by_size(self) -> Partition:
        """By the size of the single object, in bytes."""
        return Partition(self, "size")

    def by_referrers(self, own: bool = False) -> Partition:
        """By the set of the classes of all that refers to an object; "<variable>" for frames and roots.

        own: references from heapwhy's own objects count, too; also below.
        """
        return Partition(self, "referrers", own)

    def by_via(self, own: bool = False) -> Partition:
        """By the names under which an object is referred to: ".name", "['key']", "[*]" for any index."""
        return Partition(self, "via", own)

    def by_site(self) -> Partition:
        """By the file and line that allocated the object, which tracemalloc knows if it was running then.

        UnsupportedError when tracemalloc does not run.
        """
        return Partition(self, "site")

    def by_id(self) -> Partition:
        """Each object by itself. UsageError for more than a million members."""
        if len(self) > 1_000_000:
            raise _heapwhy.UsageError("%d rows, one for each object, are more than anybody reads; take a part of the "
                                      "set first, like s.by_class()[0]" % len(self))
        return Partition(self, "id")

    def by_unity(self) -> Partition:
        """All in one row."""
        return Partition(self, "unity")

    # What follows from it

    @property
    def dominated(self) -> HeapSet:
        """What would be freed if all members went, themselves included.

        Counted as the collector counts: what anything outside refers to stays, and that includes variables
        of running functions and C code.
        """
        return self._dominated()

    @property
    def dominated_size(self) -> int:
        """Bytes that would be freed if all members went."""
        return self._weigh(True)[1]

    @property
    def immediate_dominators(self) -> HeapSet:
        """The referrers to which a way leads from the roots that goes through no other referrer."""
        return self._immediate_dominators()

    @property
    def referrers(self) -> HeapSet:
        """All objects that refer to a member."""
        return self._referrers()

    @property
    def referents(self) -> HeapSet:
        """All objects to which a member refers."""
        return self._referents()

    @property
    def reachable(self) -> HeapSet:
        """The members, and everything that they lead to."""
        return self._reachable()

    @property
    def owners(self) -> HeapSet:
        """The objects whose attributes are held in a dict that is a member."""
        return self._owners()

    @property
    def unreachable(self) -> HeapSet:
        """The members to which no way leads from modules and running functions: garbage, or held by C code."""
        return self._unreachable()

    def shortest_paths(self, from_: HeapSet | None = None, avoid: HeapSet | None = None, limit: int = 10_000,
                       own: bool = False) -> Paths:
        """All shortest ways to each member, from imported modules, or from the members of from_.

        Variables of running functions begin ways only to members to which no module leads. No way goes
        through a member of avoid. limit: so many references are kept; `.cut` tells if there are more.
        Memory: 8 bytes for each object that is reached before the last member is.
        """
        return Paths(self, from_, avoid, _most(limit), own)

    def reference_pattern(self, depth: int = 7, width: int = 10, nodes: int = 200, own: bool = False) -> Pattern:
        """What refers to the members, by class, what refers to that, and so on to depth, as a tree of sets.

        width: classes shown below each node; nodes: of the whole tree, of which there are a million at most.
        """
        most = 1_000_000
        return Pattern(self, min(whole("depth", depth, 0), most), min(whole("width", width, 1), most),
                       min(whole("nodes", nodes, 1), most), own)

    def __repr__(self) -> str:
        return repr(self.by_class())

    def _repr_html_(self) -> str:
        return self.by_class()._repr_html_()

    def to_dicts(self, limit: int | None = None) -> list[Any]:
        """[{"address", "type", "size"}, ...] of the members that are alive."""
        return [{"address": id(obj), "type": type_name(type(obj)), "size": Record(obj).size}
                for obj in self.objects(limit)]


def heap(since: HeapSet | None = None, own: bool = False) -> HeapSet:
    """All live objects of this process, or of them what was not in an earlier set.

    since  a HeapSet of before: an address in it counts as known, even if another object is there now, so
           the set is what the heap has grown by
    own    with heapwhy's own objects

    Takes 0.3 seconds and 33 MB for 7 million objects, of which 8 MB stay with the set.
    """
    return HeapSet._heap(since, own)


def heapset(objects: Iterable[Any]) -> HeapSet:
    """The set of these objects: heapwhy.heapset([a, b]), heapwhy.heapset(cache.values()).

    TypeError when what is given can't be iterated: one object alone stands in a list, too.
    """
    return HeapSet.of(objects)
