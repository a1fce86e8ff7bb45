# SPDX-License-Identifier: Apache-2.0
"""Does a piece of code leak? Run it again and again: find_leak(run), and as an assertion: no_leaks(run).

What grows in every repeat, and goes on growing, is a leak. What grows once, or comes to rest (a cache, an import, an
interned string, a buffer), is none. The rule knows no names of caches:

    warm up       the first uses of everything
    screen        the repeats; no type grew by one for each: no leak, two looks at the heap in all
    measure       the repeats again, a look after each; what did not grow in each is out
    confirm       many more, a look now and then: a cache with a bound has reached it by then

A look counts everything that is alive: what the collector tracks and all that these reach. Before a look the collector
runs, if it is enabled; where a program runs without it, its cycles are leaks.
"""
import difflib
import functools
import gc
import sys
import time
from typing import Any, Callable, Iterable, List, Optional, Tuple, Union

from heapwhy import _heapwhy
from heapwhy.arguments import counted, function, kind_of, whole
from heapwhy.holder import holder_path
from heapwhy.naming import name_of_type, type_name

WARMUP, REPEATS = 3, 5
CONFIRM_REPEATS = (32, 64, 128, 320, 64)  # a look after each; the last when the 512 of re's cache are there
CONFIRM_SECONDS = 30.0  # of processor time: the answer must not depend on how busy the machine is
CONFIRM_WAIT = 120.0  # seconds; for code that mostly waits
BOUND_LIMIT = 100000  # entries; a cache that may keep more is as good as one without a bound
SHOWN_TYPES, SHOWN_HOLDERS = 8, 4
BLOCKS = "(blocks of memory)"
_LOST = ("nobody: no object that can be reached, nor any that the collector knows, accounts for them; C code keeps memory, or "
         "has lost a reference to what the collector does not track (str, bytes, int, float)")
_RUNNERS = ("_pytest.", "pluggy.", "unittest.")


class Leak:
    """What a repeat leaves behind.

    types     [(name, objects, bytes, items), ...] at least for each repeat; items are those in containers
    holders   ["sys.modules['app'].sessions  list, +1 item a repeat: app.Session", ...]
    repeats   how often the code ran until this was certain
    """

    def __init__(self, types: List[Tuple[str, int, int, int]], holders: List[str], repeats: int) -> None:
        self.types, self.holders, self.repeats = types, holders, repeats

    def __repr__(self) -> str:
        return "<Leak of %s, seen %s>" % (", ".join(row[0] for row in self.types[:3]), counted(self.repeats, "time"))

    def __str__(self) -> str:
        lines = ["every one of %d repeats left behind" % self.repeats]
        width = max(len(row[0]) for row in self.types[:SHOWN_TYPES])
        for name, objects, size, items in self.types[:SHOWN_TYPES]:
            parts = [counted(objects, "object", "+d")] if objects else []
            parts += [counted(size, "byte", "+d")] if size else []
            parts += [counted(items, "item", "+d") + " in them"] if items and not objects else []
            lines.append("  %-*s  %s" % (width, name, ", ".join(parts)))
        if len(self.types) > SHOWN_TYPES:
            lines.append("  and " + counted(len(self.types) - SHOWN_TYPES, "more type"))
        lines.append("held by")
        lines += ["  " + text for text in self.holders]
        return "\n".join(lines)


class _Limits:
    """What a repeat may leave behind: objects, bytes; None is any number. types: of these alone, names or classes."""

    def __init__(self, objects=None, bytes=None, types=None):
        if objects is None and bytes is None:
            objects = 0
        self.objects = None if objects is None else whole("objects", objects, 0)
        self.bytes = None if bytes is None else whole("bytes", bytes, 0)
        if types is not None and (isinstance(types, (str, type)) or not hasattr(types, "__iter__")):
            types = (types,)
        types = None if types is None else list(types)
        if types is not None and not types:
            raise _heapwhy.UsageError("types has no type in it, so nothing would be counted; without it all are")
        self.names = None if types is None else {_name_of(kind) for kind in types}
        self.unseen = {kind for kind in types or () if isinstance(kind, str)}  # names that no class has had so far

    def counted(self, rows):
        if self.bytes is None:
            # larger texts in place of smaller ones are no leak that anybody looks for
            rows = [row for row in rows if row[1] or row[3]]
        if self.names is None:
            return rows
        return [row for row in rows if row[0] in self.names or row[0].rpartition(".")[2] in self.names]

    def note_classes(self):
        """Looks which of the names classes have now. Those that a run makes may be gone after it."""
        if self.unseen:
            self.unseen.difference_update(_class_names())

    def refuse_unseen(self):
        """A name with a mistake in it would never find a leak."""
        for name in sorted(self.unseen):
            near = difflib.get_close_matches(name[:80], set(_class_names()), 1)
            raise _heapwhy.UsageError("types: no class is called %.80r, nor was one when the code had run%s" % (
                name, "; there is %r" % near[0] if near else ""))

    def exceeded(self, rows):
        objects = sum(row[1] for row in rows) or sum(row[3] for row in rows)
        return ((self.objects is not None and objects > self.objects)
                or (self.bytes is not None and sum(row[2] for row in rows) > self.bytes))


class Asked:
    """The options of find_leak(), looked at: TypeError, UsageError for what they can't be."""

    def __init__(self, objects=None, bytes=None, types=None, repeats=REPEATS, warmup=WARMUP):
        self.repeats, self.warmup = whole("repeats", repeats, 1), whole("warmup", warmup, 0)
        self.limits = _Limits(objects, bytes, types)


def _name_of(kind):
    if isinstance(kind, str):
        return kind
    if not isinstance(kind, type):
        raise TypeError("types are classes or their names; there is %s among them" % kind_of(kind))
    return kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def _class_names():
    """The names of all classes there are, each with its module and without."""
    found, waiting = set(), [object]
    while waiting:
        cls = waiting.pop()
        if id(cls) not in found:
            found.add(id(cls))
            waiting += type.__subclasses__(cls)
            name = type_name(cls)
            yield from {name, name.rpartition(".")[2]}  # as counted() knows them


def _settle():
    """Lets go of what the collector would free, where the program has it on. Finalizers may need a second turn."""
    if gc.isenabled():
        for _ in range(3):
            if not gc.collect():
                break


def _is_traced():
    """A profiler or a debugger keeps memory of its own for what runs."""
    if sys.getprofile() or sys.gettrace():
        return True
    return hasattr(sys, "monitoring") and any(sys.monitoring.get_tool(tool) for tool in range(6))


def _times(run, count):
    for _ in range(count):
        run()
    _settle()


def _screen(run, repeats, limits):
    """(some type may grow, memory blocks may)."""
    blocks = sys.getallocatedblocks()  # before the baseline: what we make ourselves must be there already
    births = _heapwhy.Births()
    _times(run, repeats)
    blocks = sys.getallocatedblocks() - blocks
    births.look(repeats)
    return limits.exceeded(limits.counted(births.growing())), blocks > repeats // 2


class _Measured:
    """Repeats with looks between them."""

    def __init__(self):
        self.repeats = 0
        self.births = _heapwhy.Births()

    def look_after(self, run, repeats):
        _times(run, repeats)
        self.repeats += repeats
        self.births.look(repeats)

    def rows(self, limits):
        """What has grown in every look and is too much; [] when nothing is."""
        rows = limits.counted(self.births.growing())
        return rows if limits.exceeded(rows) else []


def _growing_blocks(run, limits):
    """(blocks that each repeat leaves, repeats) where no object accounts for them; (0, ...) when it ends.

    Free lists let single repeats differ by some blocks, so this looks after many."""
    if limits.names is not None or limits.objects is None or _is_traced():
        return 0, 0
    rates, total, births = [], 0, _heapwhy.Births()
    blocks = sys.getallocatedblocks()
    for repeats in _rounds():
        _times(run, repeats)
        now = sys.getallocatedblocks()
        rates.append((now - blocks) / repeats)
        total, blocks = total + repeats, now
        # a lost reference costs the same each time; what fills a table of the interpreter's costs less and less
        if rates[-1] < limits.objects + 0.75 or rates[-1] < 0.8 * rates[0]:
            return 0, total
    births.look(total)
    if any(row[1] or row[3] for row in births.growing()):
        return 0, total  # objects account for them, and have been judged: those in a cache with a bound, say
    return round(min(rates)), total


def find_leak(run: Callable[[], Any], *, objects: Optional[int] = None, bytes: Optional[int] = None,
              types: Union[None, str, type, Iterable[Union[str, type]]] = None, repeats: int = REPEATS,
              warmup: int = WARMUP) -> Optional[Leak]:
    """The Leak of run(), which is called again and again, or None.

    objects, bytes   how much each repeat may leave behind; neither: no object, and no item in a container
    types            count these alone: names ("app.Session", "Session") or classes
    warmup, repeats  how often it runs before, and how often each look at the heap must see growth

    What run() raises goes on to the caller. A healthy run() is called warmup + repeats times, with two looks at the
    heap; one that leaks some hundred times, for at most thirty seconds of processor time or two minutes. Raises
    TypeError, UsageError for arguments that have no meaning; UsageError for a name that no class has, before or after.
    """
    function("what is looked at", run, "give a function that does the work once: lambda: handle(request)")
    return find_as_asked(run, Asked(objects, bytes, types, repeats, warmup))


def find_as_asked(run, asked):
    """find_leak() with options that were looked at before."""
    limits, repeats = asked.limits, asked.repeats

    def run_and_note():
        run()
        limits.note_classes()

    _times(run_and_note, asked.warmup)
    types_grow, blocks_grow = _screen(run_and_note, repeats, limits)
    limits.refuse_unseen()
    leak = _measure(run, repeats, limits) if types_grow else None
    if leak is None and blocks_grow:
        blocks, total = _growing_blocks(run, limits)
        leak = Leak([(BLOCKS, blocks, 0, 0)], [_LOST], total) if blocks else None
    return leak


def _measure(run, repeats, limits):
    measured = _Measured()
    for _ in range(repeats):
        measured.look_after(run, 1)
        if not measured.rows(limits):
            return None
    rows = measured.rows(limits)
    dead = _cached_instances(measured.births, rows)
    if not dead:
        if not _confirm(run, measured, limits):
            return None
        rows = _without_bounded_caches(measured, measured.rows(limits))
        if not limits.exceeded(rows):
            return None
    rows.sort(key=lambda row: (_is_plain(row[0]), -row[2], row[0]))
    return Leak(rows, dead or _holders(measured, rows), measured.repeats)


def _rounds():
    """How often to run until the next look; ends early when the time is over."""
    used, since = time.process_time(), time.monotonic()
    for repeats in CONFIRM_REPEATS:
        yield repeats
        if time.process_time() - used > CONFIRM_SECONDS or time.monotonic() - since > CONFIRM_WAIT:
            return


def _confirm(run, measured, limits):
    for repeats in _rounds():
        measured.look_after(run, repeats)
        if not measured.rows(limits):
            return False
    return True


def no_leaks(run: Callable[[], Any], **options: Any) -> None:
    """Raises AssertionError when run() leaks; options as for find_leak().

    >>> heapwhy.no_leaks(lambda: app.handle(request))
    """
    leak = find_leak(run, **options)
    if leak is not None:
        raise AssertionError("leak: " + str(leak))


# ---- caches that say how much they keep ----

def _caches():
    return [obj for obj in gc.get_objects() if type(obj) is functools._lru_cache_wrapper]


def _bound(cache):
    """How many entries a cache keeps at most; None: any number."""
    return cache.cache_info().maxsize


def _without_bounded_caches(measured, rows):
    """Without what hangs in functools.lru_caches with a bound: too large, some, to be filled here, but no leaks."""
    # first: what is made below may lie where a container of the baseline was, and pass for it
    containers = _growing_containers(measured)
    caches = [cache for cache in _caches() if (_bound(cache) or BOUND_LIMIT) < BOUND_LIMIT]
    born = {row[0]: measured.births.born(row[0]) for row in rows if row[1]}
    every = measured.births.born()
    waiting = {id(obj) for obj in every}
    frontier = [obj for cache in caches for obj in gc.get_referents(cache) if id(obj) in waiting or type(obj) is dict]
    kept = set(map(id, frontier))
    while frontier:
        for obj in gc.get_referents(frontier.pop()):
            if id(obj) in waiting and id(obj) not in kept:
                kept.add(id(obj))
                frontier.append(obj)
    enough = max(1, measured.repeats // 2)
    inside = {name: sum(id(obj) in kept for obj in many) for name, many in born.items()}
    elsewhere = {name_of_type(container) for container, _ in containers if id(container) not in kept}
    return [row for row in rows if (row[1] and row[1] * measured.repeats - inside[row[0]] >= enough)
            or (not row[1] and (row[0] in elsewhere or not row[3]))]


# ---- who holds them ----

def _cached_instances(births, rows):
    """Instances in the functools.lru_cache of a method of theirs: no caller can ever hit such an entry again once the
    instance is gone, so the cache leaks although it has a bound."""
    caches, texts = _caches(), []
    for name in [row[0] for row in rows if row[1]]:
        for instance in births.born(name, limit=3):
            for cache in caches if type(instance).__hash__ is object.__hash__ else ():
                if _is_key_of_own(instance, cache):
                    texts.append("%s's cache of calls: functools.lru_cache on a method keeps self (maxsize=%s): %s" % (
                        getattr(cache, "__qualname__", name_of_type(instance)), _bound(cache), name))
    return list(dict.fromkeys(texts))


def _is_key_of_own(instance, cache):
    if not any(value is cache for base in type(instance).__mro__ for value in vars(base).values()):
        return False
    return any(key is instance or (isinstance(key, tuple) and key and key[0] is instance)
               or (isinstance(key, list) and key and key[0] is instance) for key in gc.get_referents(cache))


def _growing_containers(measured):
    """[(container, items a repeat), ...] of those that were there before and have got an item in each repeat."""
    rows = measured.births.grown()
    return [(container, more // measured.repeats) for container, more in rows if more >= measured.repeats]


def _last_item(container):
    if isinstance(container, dict):
        return next(reversed(container.values()), None)
    if isinstance(container, (set, frozenset)):
        return next(iter(container), None)
    return container[-1] if len(container) else None


def _is_plain(name):
    """Says little: a builtin type, or one of whoever runs the code."""
    return "." not in name or name.startswith(_RUNNERS)


def _holders(measured, rows):
    """Texts: the containers that grew, then paths to survivors that hang in none of these."""
    texts, containers = [], _growing_containers(measured)
    hidden = {id(containers), id(rows)}
    for pair in containers:
        container, more = pair
        hidden.add(id(pair))
        if isinstance(container, bytearray):
            about = "bytearray, %s a repeat" % counted(more, "byte", "+d")
        else:
            about = "%s, %s a repeat, the last is %s" % (name_of_type(container), counted(more, "item", "+d"),
                                                         name_of_type(_last_item(container)))
        texts.append("%s  %s" % (holder_path(container, hidden | {id(measured)}), about))
    held = {id(item) for container, _ in containers if not isinstance(container, bytearray)
            for item in (container.values() if isinstance(container, dict) else container)}
    names = sorted((row[0] for row in rows if row[1]), key=_is_plain)
    if not gc.isenabled():
        from heapwhy.collector import garbage  # what hangs on nothing but itself
        by_itself = [kind for kind in garbage().kinds if kind.count >= measured.repeats // 2]
        texts += ["only a cycle: %s  (the collector is off)" % kind.path for kind in by_itself[:SHOWN_HOLDERS]]
        hidden_names = {name for kind in by_itself for name in kind.types}
        names = [name for name in names if name not in hidden_names]
    born = {name: measured.births.born(name) for name in names}
    hidden |= {id(born)} | {id(many) for many in born.values()}
    inner = {id(one) for many in born.values() for obj in many for one in gc.get_referents(obj) if one is not obj}
    for name, many in born.items():
        if len(texts) >= SHOWN_HOLDERS or (texts and _is_plain(name)):
            break
        outer = [obj for obj in many if id(obj) not in inner] or many
        if many and not any(id(obj) in held for obj in many):
            texts.append("%s  %s" % (holder_path(outer[-1], hidden | {id(many), id(outer)}), name))
    return texts or ["nobody that could be named"]
