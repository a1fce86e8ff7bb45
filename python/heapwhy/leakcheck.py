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
import functools
import gc
import sys
import time

from heapwhy import _heapwhy
from heapwhy.holder import holder_path, type_name

WARMUP, REPEATS = 3, 5
CONFIRM_REPEATS, CONFIRM_SECONDS, CONFIRM_STRIDE = 656, 10.0, 16
SHOWN_TYPES, SHOWN_HOLDERS = 8, 4
BLOCKS = "(blocks of memory)"


class Leak:
    """What a repeat leaves behind.

    types     [(name, objects, bytes, items), ...] at least for each repeat; items are those in containers
    holders   ["sys.modules['app'].sessions  list, +1 item a repeat: app.Session", ...]
    repeats   how often the code ran until this was certain
    """

    def __init__(self, types, holders, repeats):
        self.types, self.holders, self.repeats = types, holders, repeats

    def __repr__(self):
        return "<Leak of %s, seen %d times>" % (", ".join(row[0] for row in self.types[:3]), self.repeats)

    def __str__(self):
        lines = ["every one of %d repeats left behind" % self.repeats]
        width = max(len(row[0]) for row in self.types[:SHOWN_TYPES])
        for name, objects, size, items in self.types[:SHOWN_TYPES]:
            parts = ["%+d object%s" % (objects, "s" * (objects != 1))] if objects else []
            parts += ["%+d bytes" % size] if size else []
            parts += ["%+d item%s in them" % (items, "s" * (items != 1))] if items and not objects else []
            lines.append("  %-*s  %s" % (width, name, ", ".join(parts)))
        if len(self.types) > SHOWN_TYPES:
            lines.append("  and %d more types" % (len(self.types) - SHOWN_TYPES))
        lines.append("held by")
        lines += ["  " + text for text in self.holders]
        return "\n".join(lines)


class Limits:
    """What a repeat may leave behind: objects, bytes; None is any number. types: of these alone, names or classes."""

    def __init__(self, objects=None, bytes=None, types=None):
        if objects is None and bytes is None:
            objects = bytes = 0
        self.objects, self.bytes = objects, bytes
        if types is not None and (isinstance(types, (str, type)) or not hasattr(types, "__iter__")):
            types = (types,)
        self.names = None if types is None else {_name_of(kind) for kind in types}

    def counted(self, rows):
        if self.names is None:
            return rows
        return [row for row in rows if row[0] in self.names or row[0].rpartition(".")[2] in self.names]

    def exceeded(self, rows):
        objects = sum(row[1] for row in rows) or sum(row[3] for row in rows)
        return ((self.objects is not None and objects > self.objects)
                or (self.bytes is not None and sum(row[2] for row in rows) > self.bytes))


def _name_of(kind):
    if isinstance(kind, str):
        return kind
    return kind.__qualname__ if kind.__module__ == "builtins" else "%s.%s" % (kind.__module__, kind.__qualname__)


def _settle():
    """Lets go of what the collector would free, where the program has it on. Finalizers may need a second turn."""
    if gc.isenabled():
        for _ in range(3):
            if not gc.collect():
                break


def _times(run, count):
    for _ in range(count):
        run()
    _settle()


def _screen(run, repeats, limits):
    """True: something may grow."""
    births = _heapwhy.Births()
    blocks = sys.getallocatedblocks()
    _times(run, repeats)
    blocks = sys.getallocatedblocks() - blocks
    births.look(repeats)
    return limits.exceeded(limits.counted(births.growing())) or blocks >= repeats


class _Measured:
    """Repeats with looks between them."""

    def __init__(self):
        self.births, self.repeats = _heapwhy.Births(), 0
        self.blocks, self.least_blocks = sys.getallocatedblocks(), None

    def look_after(self, run, repeats):
        _times(run, repeats)
        blocks = sys.getallocatedblocks()
        more = (blocks - self.blocks + repeats // 2) // repeats
        self.least_blocks = more if self.least_blocks is None else min(more, self.least_blocks)
        self.blocks = blocks
        self.repeats += repeats
        self.births.look(repeats)

    def rows(self, limits):
        """What has grown in every look and is too much; [] when nothing is."""
        rows = limits.counted(self.births.growing())
        if limits.exceeded(rows):
            return rows
        if limits.names is None and not rows and limits.objects is not None and self.least_blocks > limits.objects:
            return [(BLOCKS, self.least_blocks, 0, 0)]
        return []


def find_leak(run, *, objects=None, bytes=None, types=None, repeats=REPEATS, warmup=WARMUP):
    """The Leak of run(), which is called again and again, or None.

    objects, bytes   how much each repeat may leave behind; neither: nothing
    types            count these alone: names ("app.Session", "Session") or classes
    warmup, repeats  how often it runs before, and how often each look at the heap must see growth

    What run() raises goes on to the caller. A healthy run() is called warmup + repeats times, with two looks at the
    heap; one that leaks some hundred times, or for ten seconds.
    """
    limits = Limits(objects, bytes, types)
    _times(run, warmup)
    if not _screen(run, repeats, limits):
        return None
    measured = _Measured()
    for _ in range(repeats):
        measured.look_after(run, 1)
        if not measured.rows(limits):
            return None
    rows = measured.rows(limits)
    dead = _cached_instances(measured.births, rows)
    if not dead and not _confirm(run, measured, limits):
        return None
    rows = measured.rows(limits) or rows
    rows.sort(key=lambda row: (-row[2], row[0]))
    return Leak(rows, dead or _holders(measured, rows), measured.repeats)


def _confirm(run, measured, limits):
    until, target = time.monotonic() + CONFIRM_SECONDS, measured.repeats + CONFIRM_REPEATS
    while measured.repeats < target and time.monotonic() < until:
        measured.look_after(run, CONFIRM_STRIDE)
        if not measured.rows(limits):
            return False
    return True


def no_leaks(run, **options):
    """Raises AssertionError when run() leaks; options as for find_leak().

    >>> heapwhy.no_leaks(lambda: app.handle(request))
    """
    leak = find_leak(run, **options)
    if leak is not None:
        raise AssertionError("leak: " + str(leak))


# ---- who holds them ----

def _cached_instances(births, rows):
    """Instances in the functools.lru_cache of a method of theirs: no caller can ever hit such an entry again once the
    instance is gone, so the cache leaks although it has a bound."""
    caches = [obj for obj in gc.get_objects() if type(obj) is functools._lru_cache_wrapper]
    texts = []
    for name in [row[0] for row in rows if row[1]]:
        for instance in births.born(name, limit=3):
            for cache in caches if type(instance).__hash__ is object.__hash__ else ():
                if _is_key_of_own(instance, cache):
                    texts.append("%s's cache of calls: functools.lru_cache on a method keeps self (maxsize=%s): %s" % (
                        cache.__wrapped__.__qualname__, cache.cache_parameters()["maxsize"], name))
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
    return "." not in name


def _holders(measured, rows):
    """Texts: the containers that grew, then paths to survivors that hang in none of these."""
    if rows[0][0] == BLOCKS:
        return ["nobody: no object that can be reached, nor any that the collector knows, accounts for them; C code keeps "
                "memory, or has lost a reference to what the collector does not track (str, bytes, int, float)"]
    texts, containers = [], _growing_containers(measured)
    hidden = {id(containers), id(rows)}
    for pair in containers:
        container, more = pair
        hidden.add(id(pair))
        if isinstance(container, bytearray):
            about = "bytearray, +%d bytes a repeat" % more
        else:
            about = "%s, +%d item%s a repeat, the last is %s" % (type_name(container), more, "s" * (more != 1),
                                                                type_name(_last_item(container)))
        texts.append("%s  %s" % (holder_path(container, hidden | {id(measured)}), about))
    held = {id(item) for container, _ in containers if not isinstance(container, bytearray)
            for item in (container.values() if isinstance(container, dict) else container)}
    names = sorted((row[0] for row in rows if row[1]), key=_is_plain)
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
