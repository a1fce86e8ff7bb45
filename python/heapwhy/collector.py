# SPDX-License-Identifier: Apache-2.0
"""The garbage collector's view, without running it.

    garbage()             what it would find now: cycles by kind, the attributes that close them, what hangs on them
    cycles_forbidden()    a block in which no cyclic garbage may be made, for services that run with the collector off
    uncollectable()       what gc.garbage holds, and why
    collector_state()     is it on, how is it set, what has it done

No collection runs, no debug flag is set (DEBUG_SAVEALL keeps all garbage for good), nothing is kept alive. What is
garbage is computed from reference counts, as the collector does it (src/inside/garbage.c).

From the outside, for a process that nobody prepared: heapwhy cycles PID, heapwhy gc PID.
"""
import collections
import gc
import threading
import warnings
from typing import Any, Callable, Dict, List, NamedTuple, Tuple, Union

from heapwhy import Error, UsageError, _heapwhy
from heapwhy.arguments import counted, kind_of
from heapwhy.holder import shorten, spell_key
from heapwhy.naming import name_of_type

SHOWN_KINDS, SHOWN_TYPES = 8, 8
PATH_LIMIT = 100000  # objects of one cycle that are searched for the shortest way round


class Kind(NamedTuple):
    """Cycles of one shape.

    path           the way round: "app.Parent.child -> app.Child.parent"
    attributes     ("app.Parent.child", "app.Child.parent"): setting one to None, or making it a weak reference, opens it
    count          how many cycles
    objects        how many objects are in them
    bytes          of these, as sys.getsizeof() tells
    types          {type name: objects}
    has_finalizer  some object has __del__, which the collector would run first
    """
    path: str
    attributes: Tuple[str, ...]
    count: int  # type: ignore[assignment]  # not tuple.count()
    objects: int
    bytes: int
    types: Dict[str, int]
    has_finalizer: bool

    def __str__(self) -> str:
        return "%d x %s  (%s, %s%s)" % (self.count, self.path, counted(self.objects, "object"), counted(self.bytes, "byte"),
                                       ", with __del__" if self.has_finalizer else "")


class Garbage:
    """What the collector would find. Texts and numbers; no object is kept.

    kinds     [Kind, ...], most objects first
    others    {type name: objects} of what is garbage only because a cycle refers to it
    cycles    how many cycles
    objects   how many objects in all
    """

    def __init__(self, kinds: List[Kind], others: Dict[str, int]) -> None:
        self.kinds, self.others = kinds, others
        self.cycles = sum(kind.count for kind in kinds)
        self.objects = sum(kind.objects for kind in kinds) + sum(others.values())

    def __bool__(self) -> bool:
        return self.objects > 0

    def by_type(self) -> List[Tuple[str, int]]:
        """[(type name, objects), ...], most first: of the cycles and of what hangs on them."""
        total = collections.Counter(self.others)
        for kind in self.kinds:
            total.update(kind.types)
        return total.most_common()

    def by_attribute(self) -> List[Tuple[str, int]]:
        """[("app.Connection.handlers", cycles), ...]: how many cycles an attribute is part of, most first."""
        total = collections.Counter()
        for kind in self.kinds:
            for name in kind.attributes:
                total[name] += kind.count
        return total.most_common()

    def to_dicts(self) -> List[Dict[str, Any]]:
        """The kinds as dicts."""
        return [kind._asdict() for kind in self.kinds]

    def __repr__(self) -> str:
        return "<Garbage: %s, %s>" % (counted(self.cycles, "cycle"), counted(self.objects, "object"))

    def __str__(self) -> str:
        if not self:
            return "no cyclic garbage"
        lines = ["%s, %s that only the collector can free" % (
            counted(self.cycles, "cycle"), counted(self.objects, "object"))]
        lines += ["  " + str(kind) for kind in self.kinds[:SHOWN_KINDS]]
        if len(self.kinds) > SHOWN_KINDS:
            lines.append("  and " + counted(len(self.kinds) - SHOWN_KINDS, "more kind"))
        if self.others:
            parts = ["%d %s" % (count, name) for name, count in collections.Counter(self.others).most_common(SHOWN_TYPES)]
            lines.append("  they also hold " + ", ".join(parts))
        return "\n".join(lines)


def garbage() -> Garbage:
    """What the collector would find unreachable now, as Garbage.

    >>> print(heapwhy.collector.garbage())
    1 cycle, 3 objects that only the collector can free
      1 x app.Parent.child -> app.Child.parent  (2 objects, 112 bytes)
      they also hold 1 list

    Takes about twice as long as gc.collect(). No dict is made for an instance that keeps its attributes without one.
    """
    return _report(_heapwhy.garbage(), ())


def _report(found, known):
    """known: ids of objects that do not count."""
    cycles, others = found
    kinds = {}
    while cycles:
        members = cycles.pop()
        if not known or not all(id(obj) in known for obj in members):
            way = _way_round(members)
            path, attributes = _spell(way)
            count, total, size, names, final = kinds.get((path, attributes), (0, 0, 0, collections.Counter(), False))
            names.update(map(name_of_type, members))
            final = final or any(hasattr(type(obj), "__del__") for obj in members)
            size += sum(row[2] for row in _heapwhy.census(list(members)))
            kinds[path, attributes] = (count + 1, total + len(members), size, names, final)
    rows = [Kind(path, attributes, count, total, size, dict(names), final)
            for (path, attributes), (count, total, size, names, final) in kinds.items()]
    rows.sort(key=lambda kind: (-kind.objects, kind.path))
    return Garbage(rows, dict(collections.Counter(name_of_type(obj) for obj in others if id(obj) not in known)))


# ---- the way round a cycle ----

def _is_own(obj):
    """An instance of a class of the program's or a library's, at whose attributes somebody can do something."""
    return type(obj).__flags__ & 1 << 9 and type(obj).__module__ != "builtins" and not isinstance(obj, type)


def _way_round(members):
    """[first, ..., last]: each refers to the next, the last to the first; a shortest one through its first."""
    inside = {id(obj): obj for obj in members}
    first = next((obj for obj in members if _is_own(obj)), members[0])
    before, level = {}, [first]
    while level and len(before) < PATH_LIMIT:
        following = []
        for obj in level:
            for referent in gc.get_referents(obj):
                if referent is first:
                    return _walk_back(obj, before, inside)
                if id(referent) in inside and id(referent) not in before:
                    before[id(referent)] = obj
                    following.append(referent)
        level = following
    return [first]


def _walk_back(obj, before, inside):
    way = [obj]
    while id(way[-1]) in before:
        way.append(before[id(way[-1])])
    return way[::-1]


_WORDS = {"element": ".{member}", "as key": ".keys()"}


def _edge(parent, child):
    """How an expression goes on from the parent to the child. No dict is made for an instance that has none."""
    for kind, name in _heapwhy.edges(parent, child):
        if kind == "attribute":
            return "." + name
        if kind in ("key", "index"):
            return spell_key(name)
        return ".<local %s>" % name if kind == "local" else _WORDS[kind]
    return ".__dict__" if isinstance(parent, type) and isinstance(child, dict) else ".<%s>" % name_of_type(parent)


def _general(edge):
    """Cycles that differ only by index or key are of one kind."""
    if edge.startswith("["):
        return edge if edge.startswith("['") and not any(c.isdigit() for c in edge) else "[...]"
    return edge


def _spell(way):
    """(path, attributes) of a way round: each instance begins a part of its own."""
    parts = []
    for at, obj in enumerate(way):
        edge = _edge(obj, way[(at + 1) % len(way)])
        if not parts or _is_own(obj):
            parts.append([name_of_type(obj), ""])
        parts[-1][1] += edge if edge.startswith(".__dict__") else _general(edge)
    texts = [name + shorten(rest) for name, rest in parts]
    return " -> ".join(texts), tuple(texts)


# ---- a block without cycles ----

class CyclesError(Error):
    """Cyclic garbage was made where none may be. .garbage is the Garbage."""

    def __init__(self, garbage: Garbage) -> None:
        super().__init__("cyclic garbage was made: " + str(garbage))
        self.garbage = garbage


class _Pause:
    """The collector is off as long as a block of any thread wants it; the last one to end puts back what was."""

    def __init__(self):
        self._lock, self._blocks, self._was_enabled = threading.RLock(), 0, False

    def begin(self):
        with self._lock:
            if not self._blocks:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._blocks += 1

    def end(self):
        with self._lock:
            self._blocks -= 1
            if not self._blocks and self._was_enabled:
                gc.enable()


_pause = _Pause()


class cycles_forbidden:
    """No cyclic garbage may be made in this block.

    with heapwhy.cycles_forbidden():            raises CyclesError at its end
    with heapwhy.cycles_forbidden("warn"):      warns instead (RuntimeWarning)
    with heapwhy.cycles_forbidden(handler):     calls handler(Garbage)

    For services that run with the collector off: it names each cycle and the attributes that close it. The whole process
    is looked at, so that other threads' garbage counts, too. Garbage that was there before does not count. While the
    block runs the collector does not start by itself, so that nothing is freed unseen; when the last of several blocks,
    nested or of several threads, has ended, it is as it was before the first, whatever they raised. When the block
    raises, that error goes on, and cycles are warned about.
    """

    def __init__(self, action: Union[str, Callable[[Garbage], Any]] = "raise") -> None:
        if not callable(action) and not (isinstance(action, str) and action in ("raise", "warn")):
            raise UsageError("cycles_forbidden() takes 'raise', 'warn' or a function of one Garbage, not %.60s" % (
                repr(action) if isinstance(action, str) else kind_of(action)))
        self.action = action
        self._known = []  # of each block that this object has begun: what was garbage before

    def __repr__(self) -> str:
        action = repr(self.action) if isinstance(self.action, str) else kind_of(self.action)
        return "<heapwhy.cycles_forbidden: %s, %s running>" % (action, counted(len(self._known), "block"))

    def __enter__(self) -> "cycles_forbidden":
        _pause.begin()
        try:
            cycles, others = _heapwhy.garbage()
            # garbage that nobody collects keeps its address
            known = {id(obj) for members in cycles for obj in members}
            known.update(map(id, others))
        except BaseException:
            _pause.end()
            raise
        self._known.append(known)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            found = _heapwhy.garbage()
        finally:
            _pause.end()
            known = self._known.pop()
        report = _report(found, known)
        del found
        if not report.kinds:
            return
        if callable(self.action):
            self.action(report)
        elif self.action == "warn" or kind is not None:
            warnings.warn("cyclic garbage was made: " + str(report), RuntimeWarning, stacklevel=2)
        else:
            raise CyclesError(report)


# ---- its state ----

class State(NamedTuple):
    """How the collector is set and what it has done.

    enabled        whether it starts by itself
    thresholds     gc.get_threshold(); a first of 0 means never
    counts         gc.get_count(): allocations since, and collections of each younger generation
    collections, collected, uncollectable   by generation, since the process started
    frozen         objects that gc.freeze() has put aside: it never looks at these
    debug          names of the debug flags that are set
    callbacks      how many functions it calls before and after
    garbage        len(gc.garbage)
    """
    enabled: bool
    thresholds: Tuple[int, ...]
    counts: Tuple[int, ...]
    collections: Tuple[int, ...]
    collected: Tuple[int, ...]
    uncollectable: Tuple[int, ...]
    frozen: int
    debug: Tuple[str, ...]
    callbacks: int
    garbage: int


_FLAGS = ("DEBUG_STATS", "DEBUG_COLLECTABLE", "DEBUG_UNCOLLECTABLE", "DEBUG_SAVEALL")


def collector_state() -> State:
    """How the collector is set and what it has done, as State."""
    stats = gc.get_stats()
    return State(gc.isenabled(), gc.get_threshold(), gc.get_count(),
                 *(tuple(row[name] for row in stats) for name in ("collections", "collected", "uncollectable")),
                 gc.get_freeze_count(), tuple(name for name in _FLAGS if gc.get_debug() & getattr(gc, name)),
                 len(gc.callbacks), len(gc.garbage))


def uncollectable() -> List[Tuple[str, int, str]]:
    """[(type name, objects, reason), ...] of what gc.garbage holds, most first. Empty is the healthy answer."""
    saved = bool(gc.get_debug() & gc.DEBUG_SAVEALL)
    counts = collections.Counter((name_of_type(obj), _reason(obj, saved)) for obj in gc.garbage)
    return [(name, count, reason) for (name, reason), count in counts.most_common()]


def _reason(obj, saved):
    if saved:
        return "gc.DEBUG_SAVEALL keeps all that it finds"
    return "in a cycle with an object of an extension type whose tp_del must run first, or put there by the program"
