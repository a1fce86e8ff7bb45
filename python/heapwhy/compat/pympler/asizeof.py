# SPDX-License-Identifier: Apache-2.0
"""Sizes of objects with all that they lead to, each object once.

    asizeof(*objs)    bytes of all given objects together
    asizesof(*objs)   bytes of each, in a tuple
    asized(*objs)     Asized: bytes of an object and of its referents by name, `detail` levels deep
    Asizer            remembers what it counted, from call to call

Options: above, align, all, clip, code, cutoff, derive, detail, frames, ignored, infer, limit, stats, as
asizeof() explains them. The heap is walked in C; only `stats`, `detail` and exclude_types() walk it in Python.
"""
import os
import sys
import weakref
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple

from heapwhy import _heapwhy
from heapwhy.compat.pympler._typedefs import (
    _co_refs, _dict_refs, _dict_types, _infer_dict, _inst_refs, _len_int, _nameof, _prepr, _repr, _seq_refs,
    _sizeof_CPyDictEntry, _sizeof_CPyGC_Head, _sizeof_Csetentry, _sizeof_Cvoidp, _typedefs, key_name, key_of,
    referents, typedef_of)

__all__ = ["Asized", "Asizer", "adict", "amapped", "asized", "asizeof", "asizesof", "basicsize", "flatsize",
           "itemsize", "leng", "refs"]

_Py_TPFLAGS_HAVE_GC = 1 << 14
_RANKS = 100  # largest objects that are remembered


def _items(obj: Any) -> Iterable[Any]:
    return obj.items()


def _keys(obj: Any) -> Iterable[Any]:
    return obj.keys()


def _values(obj: Any) -> Iterable[Any]:
    return obj.values()


def _plural(count: int) -> str:
    return "" if count == 1 else "s"


def _p100(part: float, total: float, prec: int = 1) -> str:
    return "%.*f%%" % (prec, part * 100.0 / total) if total > 0 else "n/a"


def _SI(size: float) -> str:
    """' or 1.5 KiB' from 1 KiB on, else ''."""
    if size < 1024:
        return ""
    for unit in "KMGTPE":
        size /= 1024.0
        if size < 1024 or unit == "E":
            break
    return " or %.1f %siB" % (size, unit)


def _option_error(where: Callable[..., Any], error: type = ValueError, **options: Any) -> Exception:
    told = ", ".join(sorted("%s=%r" % item for item in options.items()))
    return error("invalid option%s: %s(%s)" % (_plural(len(options)), _nameof(where), told))


class Asized:
    """An object's size: `size` with all it leads to, `flat` alone, `name`, and `refs`, an Asized for each
    referent (as deep as was asked for)."""

    __slots__ = ("flat", "name", "refs", "size")

    def __init__(self, size: int, flat: int, refs: Iterable["Asized"] = (), name: Optional[str] = None):
        self.size = size
        self.flat = flat
        self.name = name
        self.refs = tuple(refs)

    def __str__(self) -> str:
        return "size %r, flat %r, refs[%d], name %r" % (self.size, self.flat, len(self.refs), self.name)

    def format(self, format: str = "%(name)s size=%(size)d flat=%(flat)d", depth: int = -1,
               order_by: str = "size", indent: str = "") -> str:
        """Lines: the object, and its referents below it, `depth` levels (-1: all), by 'size', 'flat' or 'name'."""
        lines = [indent + format % {"size": self.size, "flat": self.flat, "name": self.name}]
        if depth:
            by_size = order_by in ("size", "flat")
            ordered = sorted(self.refs, key=lambda ref: getattr(ref, order_by), reverse=by_size)
            lines += [ref.format(format, depth - 1, order_by, indent + "    ") for ref in ordered]
        return "\n".join(lines)

    def get(self, name: str, dflt: Optional["Asized"] = None) -> Optional["Asized"]:
        """The referent of that name."""
        return next((ref for ref in self.refs if ref.name == name), dflt)


class _Kept:
    """An object to show later: held weakly where that is possible."""

    __slots__ = ("_get",)

    def __init__(self, obj: Any):
        try:
            self._get: Callable[[], Any] = weakref.ref(obj)
        except TypeError:
            self._get = lambda: obj

    def text(self, clip: int) -> str:
        obj = self._get()
        return _repr(obj, clip) + _length_text(obj)


def _length_text(obj: Any) -> str:
    count = leng(obj)
    if count is None:
        return ""
    try:
        extended = count > len(obj)
    except TypeError:
        extended = count > 0
    return " leng %d%s" % (count, "!" if extended else "")


class _Profile:
    """The objects of one type: how many, bytes, the largest."""

    def __init__(self) -> None:
        self.number = self.total = self.high = 0
        self.largest: Optional[_Kept] = None

    def update(self, obj: Any, size: int) -> None:
        self.number += 1
        self.total += size
        if self.high < size or self.largest is None:
            self.high, self.largest = size, _Kept(obj)


class _Rank:
    """One of the largest objects, with all that it leads to."""

    def __init__(self, visit: "_Visit"):
        self.size, self.depth, self.id, self.parent = visit.size, visit.depth, id(visit.obj), visit.parent
        self.type, self.kept = key_name(key_of(visit.obj)), _Kept(visit.obj)

    def format(self, clip: int, places: Dict[int, int]) -> str:
        at = " (at %d)" % self.depth if self.depth else ""
        parent = ", pix %s" % places.get(self.parent, "?") if self.parent else ""
        return "%s: %s, ix %s%s%s" % (self.type, self.kept.text(clip), places.get(self.id, "?"), at, parent)


class _Visit:
    """An object under way of a walk in Python."""

    __slots__ = ("obj", "name", "parent", "depth", "flat", "size", "refs", "todo")

    def __init__(self, obj: Any, name: Optional[str], parent: int, depth: int):
        self.obj, self.name, self.parent, self.depth = obj, name, parent, depth
        self.flat = self.size = 0
        self.refs: List[Asized] = []
        self.todo: Iterator[Tuple[Optional[str], Any]] = iter(())


class Asizer:
    """Adds up sizes over several calls: an object counts once in its life, until reset().

    Objects are known by their address: what was freed in between may hide what took its place.
    """

    def __init__(self, **opts: Any):
        self._excl_d: Dict[Any, int] = {}
        self.reset(**opts)

    def reset(self, above: int = 1024, align: int = 8, clip: int = 80, code: bool = False, cutoff: int = 10,
              derive: bool = False, detail: int = 0, frames: bool = False, ignored: bool = True,
              infer: bool = False, limit: Optional[int] = None, stats: float = 0, stream: Any = None,
              **extra: Any) -> None:
        """Sets all options, those not given to their defaults, and forgets what was counted."""
        if extra:
            raise _option_error(self.reset, KeyError, **extra)
        self._above, self._clip, self._derive, self._infer = above, clip, derive, infer
        self._detail, self._frames, self._ignored, self._limit = detail, frames, ignored, limit
        self._code, self._cutoff, self._stream = code, cutoff, stream
        self._align = 8
        self._stats, self._profiling, self._incl = 0, False, ""
        self._check_align(align)
        self._align = align
        self._clear()
        self.set(code=code, cutoff=cutoff, stats=stats)

    def set(self, above: Optional[int] = None, align: Optional[int] = None, code: Optional[bool] = None,
            cutoff: Optional[int] = None, frames: Optional[bool] = None, detail: Optional[int] = None,
            limit: Optional[int] = None, stats: Optional[float] = None) -> None:
        """Sets some options. What was counted stays counted."""
        if align is not None:
            self._check_align(align)
            self._align = align
            self._engine.align = max(align, 1)
        self._above = self._above if above is None else int(above)
        self._frames = self._frames if frames is None else frames
        self._detail = self._detail if detail is None else detail
        self._limit = self._limit if limit is None else limit
        if code is not None:
            self._code, self._incl = code, " (incl. code)" if code else self._incl
        if stats is not None:
            if stats < 0:
                raise _option_error(self.set, stats=stats)
            self._stats, part = self._split_stats(stats)
            self._cutoff = int(cutoff) if cutoff else part
            self._profiling = self._stats > 1
        self._engine.code = bool(self._code)
        self._engine.frames = bool(self._frames)
        self._engine.builtins = not self._ignored

    def _check_align(self, align: int) -> None:
        if align > 1 and align & (align - 1):
            raise _option_error(self.set, align=align)

    def _split_stats(self, stats: float) -> Tuple[int, int]:
        """Statistics to print, and the cutoff that the fraction is."""
        whole = int(stats)
        return whole, int((stats - whole) * 100.0 + 0.5) or self._cutoff

    def _clear(self) -> None:
        """Forgets what was counted."""
        self._engine = _heapwhy.Sizer(max(self._align, 1), _mapped)
        self._total = self._depth = self._missed = self._ranked = 0
        self._profiles: Dict[Any, _Profile] = {}
        self._ranks: List[_Rank] = []
        for key in self._excl_d:
            self._excl_d[key] = 0
        self.exclude_objs(self, self.__dict__, self._engine, self._excl_d, self._profiles, self._ranks)

    # What the options are.

    above = property(lambda self: self._above, doc="Ranked are objects of so many bytes.")
    align = property(lambda self: self._align, doc="Sizes are multiples of this.")
    clip = property(lambda self: self._clip, doc="Characters of a repr().")
    code = property(lambda self: self._code, doc="Whether code counts.")
    cutoff = property(lambda self: self._cutoff, doc="Limit of statistics.")
    derive = property(lambda self: self._derive, doc="Has no effect: contents of subclasses always count.")
    detail = property(lambda self: self._detail, doc="Levels of Asized referents.")
    frames = property(lambda self: self._frames, doc="Whether frames count.")
    ignored = property(lambda self: self._ignored, doc="Whether static types are left out.")
    infer = property(lambda self: self._infer, doc="Whether dict-like objects show their items by name.")
    limit = property(lambda self: self._limit, doc="Steps from a given object; None: any number.")
    stats = property(lambda self: self._stats, doc="Statistics that are printed.")

    # What was counted.

    total = property(lambda self: self._total, doc="Bytes.")
    seen = property(lambda self: self._engine.met, doc="How often objects were met.")
    sized = property(lambda self: self._engine.sized, doc="Objects counted.")
    duplicate = property(lambda self: self._engine.duplicates, doc="Objects met more than once.")
    missed = property(lambda self: self._missed, doc="Objects missed: 0.")
    ranked = property(lambda self: self._ranked, doc="Objects larger than `above`.")
    excluded = property(lambda self: tuple(self._excl_d), doc="Types that are excluded.")

    def exclude_objs(self, *objs: Any) -> None:
        """Objects that never count, nor what only they lead to."""
        for o in objs:
            self._engine.exclude(o)

    def exclude_refs(self, *objs: Any) -> None:
        """Objects that count only when they are given, not as referents of others."""
        for o in objs:
            self._engine.hold(o)

    def exclude_types(self, *objs: Any) -> None:
        """Classes that do not count, nor do their direct instances."""
        for o in objs:
            if type(o) is type:
                self._excl_d.setdefault(key_of(o), 0)
                self._excl_d.setdefault(o, 0)

    def asizeof(self, *objs: Any, **opts: Any) -> int:
        """Bytes of all given objects together that were not counted yet. opts as for set()."""
        self.set(**opts)
        self.exclude_refs(*objs)
        return sum(self._size(o) for o in objs)

    def asizesof(self, *objs: Any, **opts: Any) -> Tuple[int, ...]:
        """Bytes of each given object; what several lead to counts with the first."""
        self.set(**opts)
        return self._each(objs, self._size)

    def asized(self, *objs: Any, **opts: Any) -> Any:
        """An Asized for the one object, or a tuple of them."""
        self.set(**opts)
        sizes = self._each(objs, lambda o: self._walk(o, True))
        return sizes[0] if len(sizes) == 1 else sizes

    def _each(self, objs: Tuple[Any, ...], size: Callable[[Any], Any]) -> Tuple[Any, ...]:
        """A size for each object, for duplicates the same one."""
        self.exclude_refs(*objs)
        sizes: Dict[int, Any] = {}
        self.exclude_objs(sizes)
        for o in objs:
            if id(o) in sizes:
                self._engine.meet(o, True)
            else:
                sizes[id(o)] = size(o)
        return tuple(sizes[id(o)] for o in objs)

    def _size(self, obj: Any) -> int:
        if self._stats or self._excl_d:
            return self._walk(obj, False).size
        size = self._engine.add(obj, None if self._limit is None else max(self._limit, 0))
        self._total += size
        return size

    def _name(self, obj: Any) -> str:
        name = _nameof(obj)
        return name if name and isinstance(name, str) else _repr(obj, self._clip)

    # The walk in Python: where names, ranks, profiles or excluded types are asked for.

    def _walk(self, root: Any, named: bool) -> Asized:
        path = [self._enter(_Visit(root, None, 0, 0), named)]
        while True:
            top = path[-1]
            step = next(top.todo, None)
            if step is not None:
                path.append(self._enter(_Visit(step[1], step[0], id(top.obj), top.depth + 1), named))
                continue
            path.pop()
            self._leave(top)
            if not path:
                self._total += top.size
                return Asized(top.size, top.flat, top.refs, self._name(root) if named else None)
            path[-1].size += top.size
            if named and top.depth <= self._detail:
                name = top.name if top.name is not None else self._name(top.obj)
                path[-1].refs.append(Asized(top.size, top.flat, top.refs, name))

    def _enter(self, visit: _Visit, named: bool) -> _Visit:
        """Sizes an object alone, and says what of it is still to be walked."""
        obj, given = visit.obj, visit.depth == 0
        if not self._engine.meet(obj, given):
            return visit
        key = key_of(obj)
        if key in self._excl_d:
            self._excl_d[key] += 1
            return visit
        visit.flat = visit.size = self._engine.flat(obj, given)
        if not visit.flat:
            return visit
        if self._profiling:
            self._profiles.setdefault(key, _Profile()).update(obj, visit.flat)
        left = None if self._limit is None else self._limit - visit.depth
        if left is None or left > 0:
            self._open(visit, named and visit.depth < self._detail, left)
        return visit

    def _open(self, visit: _Visit, named: bool, left: Optional[int]) -> None:
        obj, nested_module = visit.obj, visit.depth > 0 and isinstance(visit.obj, type(sys))
        if nested_module:
            return
        if named:
            found = referents(obj, self._engine, self._infer)
        elif self._stats or self._excl_d:
            found = [(None, ref) for ref in self._engine.referents(obj, visit.depth == 0)]
        else:
            visit.size += self._engine.add_below(obj, left)
            return
        visit.size += self._engine.values(obj)
        visit.todo = iter(found)
        self._depth = max(self._depth, visit.depth + 1)

    def _leave(self, visit: _Visit) -> None:
        if self._stats and visit.size > self._above > 0:
            self._ranked += 1
            if len(self._ranks) < _RANKS or self._ranks[-1].size < visit.size:
                self._ranks.append(_Rank(visit))
                self._ranks.sort(key=lambda rank: -rank.size)
                del self._ranks[_RANKS:]

    # Statistics.

    def _printf(self, fmt: str, *args: Any, file: Any = None, end: str = os.linesep, flush: bool = False) -> None:
        print(fmt % args if args else fmt, file=file or self._stream or sys.stdout, end=end, flush=flush)

    def print_stats(self, objs: Any = (), opts: Dict[str, Any] = {}, sized: Any = (), sizes: Any = (),
                    stats: float = 3, **print3options: Any) -> None:
        """Prints what was counted: from stats=1 the summary and the largest objects, 2 profiles of types, 3 the
        types that are known. objs, opts, sized, sizes: what was asked and answered."""
        wanted = min(opts.get("stats", stats) or 0, self.stats)
        if wanted <= 0:
            return
        w = len(str(self.missed + self.seen + self.total)) + 1
        self._print_head(w, objs, opts, sized, sizes, print3options)
        self.print_summary(w=w, objs=objs, **print3options)
        level, cutoff = self._split_stats(wanted)
        self.print_largest(w=w, cutoff=cutoff if level < 2 else 10, **print3options)
        if level > 1:
            self.print_profiles(w=w, cutoff=cutoff, **print3options)
        if level > 2:
            self.print_typedefs(w=w, **print3options)

    def _print_head(self, w: int, objs: Any, opts: Dict[str, Any], sized: Any, sizes: Any, to: Dict[str, Any]) -> None:
        told = ", ".join(sorted("%s=%r" % item for item in opts.items()))
        comma = ", " if told and objs else ""
        if sized and objs and len(objs) > 1:
            self._printf("%sasized(...%s%s) ...", os.linesep, comma, told, **to)
            for i, item in enumerate(sized):
                self._printf("%*d: %s", w - 1, i, item, **to)
        elif sized and objs:
            self._printf("%sasized(%s): %s", os.linesep, told, sized, **to)
        elif sizes and objs:
            self._printf("%sasizesof(...%s%s) ...", os.linesep, comma, told, **to)
            for size, obj in zip(sizes, objs):
                self._printf("%*d bytes%s%s:  %s", w, size, _SI(size), self._incl, _repr(obj, self._clip), **to)
        else:
            given = _repr(objs, self._clip) if objs else ""
            self._printf("%sasizeof(%s%s%s) ...", os.linesep, given, comma, told, **to)

    def print_summary(self, w: int = 0, objs: Any = (), **print3options: Any) -> None:
        """Prints bytes and numbers of objects."""
        to = print3options
        self._printf("%*d bytes%s%s", w, self._total, _SI(self._total), self._incl, **to)
        if self._align > 1:
            self._printf("%*d byte aligned", w, self._align, **to)
        self._printf("%*d byte sizeof(void*)", w, _sizeof_Cvoidp, **to)
        counts = [("given", len(objs or ())), ("sized", self.sized)]
        if self._excl_d:
            counts.append(("excluded", sum(self._excl_d.values())))
        counts.append(("seen", self.seen))
        if self.ranked:
            counts.append(("ranked", self.ranked))
        counts.append(("missed", self.missed))
        for what, count in counts:
            self._printf("%*d object%s %s", w, count, _plural(count), what, **to)
        self._printf("%*d duplicate%s", w, self.duplicate, _plural(self.duplicate), **to)
        if self._depth:
            self._printf("%*d deepest recursion", w, self._depth, **to)

    def print_largest(self, w: int = 0, cutoff: int = 0, **print3options: Any) -> None:
        """Prints the largest objects, `cutoff` of them."""
        count = min(len(self._ranks), max(int(cutoff) or self._cutoff, 0))
        if not count or self._above <= 0:
            return
        self._printf("%s%*d largest object%s (of %d over %d bytes%s)", os.linesep, w, count, _plural(count),
                     self._ranked, self._above, _SI(self._above), **print3options)
        places = {rank.id: i for i, rank in enumerate(self._ranks)}
        for rank in self._ranks[:count]:
            self._printf("%*d bytes%s: %s", w, rank.size, _SI(rank.size), rank.format(self._clip, places),
                         **print3options)

    def print_profiles(self, w: int = 0, cutoff: int = 0, **print3options: Any) -> None:
        """Prints a line for each type that takes more than `cutoff` percent."""
        profiles = sorted(((p.total, p.number, key_name(key), p) for key, p in self._profiles.items()), key=lambda p: p[:3],
                          reverse=True)
        if not profiles:
            return
        percent = (int(cutoff) or self._cutoff) if self._total else 0
        least = int(percent * 0.01 * self._total)
        self._printf("%s%*d profile%s:  total%s, average, and largest flat size%s:  largest object", os.linesep, w,
                     len(profiles), _plural(len(profiles)), " (% of grand total)" if self._total else "", self._incl,
                     **print3options)
        for at, (total, number, name, profile) in enumerate(profiles):
            average, left = total // number, len(profiles) - at - 1
            share = " (%s)" % _p100(total, self._total, 0) if self._total else ""
            self._printf("%*d %s object%s:  %s%s%s, %s%s, %s%s:  %s", w, number, name, _plural(number), total, _SI(total),
                         share, average, _SI(average), profile.high, _SI(profile.high), profile.largest.text(self._clip),
                         **print3options)
            if left > 1 and total < least:
                self._printf("%+*d profiles below cutoff (%.0f%%)", w, left, percent, **print3options)
                break

    def print_typedefs(self, w: int = 0, **print3options: Any) -> None:
        """Prints what is known of types."""
        for kind in ("static", "dynamic", "derived", "ignored", "inferred"):
            known = sorted((key_name(key), str(v)) for key, v in _typedefs.items()
                           if v.kind == kind and (v.both or self._code))
            if known:
                self._printf("%s%*d %s type%s:  basicsize, itemsize, _len_(), _refs()", os.linesep, w, len(known),
                             kind, _plural(len(known)), **print3options)
            for name, text in known:
                self._printf("%*s %s:  %s", w, "", name, text, **print3options)
        count = sum(map(len, _dict_types.values()))
        if count:
            self._printf("%s%*d dict/-like classes:", os.linesep, w, count, **print3options)
            for module, names in _dict_types.items():
                self._printf("%*s %s:  %s", w, "", module, _prepr(names), **print3options)


# The part of a mapped file that counts as memory.
_mapped = 0.01


def adict(*classes: type) -> bool:
    """Makes items of dict-like classes appear by name. False if one of them does not look like a dict."""
    alike = True
    for cls in classes:
        if isinstance(cls, type) and _infer_dict(cls):
            names = _dict_types.get(cls.__module__, ())
            _dict_types[cls.__module__] = names if cls.__name__ in names else names + (cls.__name__,)
            _typedefs.pop(cls, None)
        else:
            alike = False
    return alike


def amapped(percentage: Optional[float] = None) -> float:
    """Sets which part of a mapped file counts as memory, in percent. Returns what it was."""
    global _mapped
    before = _mapped * 100.0
    if percentage is not None:
        _mapped = max(0.0, min(1.0, percentage * 0.01))
    return before


_asizer = Asizer()


def asizeof(*objs: Any, **opts: Any) -> int:
    """Bytes of all given objects together, with all that they lead to, each object once.

    above=1024     rank objects of more bytes, with stats
    align=8        round sizes up to a multiple of a power of 2; 0: no
    all=False      True, and no objects given: all that the collector tracks
    clip=80        characters of a repr(), with stats
    code=False     count classes, functions and code, too
    cutoff=10      limit of statistics
    derive=False   has no effect: contents of subclasses always count
    frames=False   count frames
    ignored=True   False: with code, also static types and functions in C
    infer=False    show items of dict-like objects by name
    limit=None     steps away from a given object; 0: the objects alone
    stats=0        print statistics: 1 summary and largest objects, 2 profiles, 3 types; the fraction
                   is a cutoff in hundredths

    Raises KeyError or ValueError for other options or values.
    """
    every = opts.pop("all", None)
    if every not in (None, False, True):
        raise _option_error(asizeof, all=every)
    _asizer.reset(**opts)
    given = objs
    if not objs and every:
        given = tuple(_heapwhy.objects(tracked=True, frames=bool(opts.get("frames"))))
        _asizer.exclude_objs(given)
    if not given:
        return 0
    size = _asizer.asizeof(*given)
    _asizer.print_stats(objs=given, opts=opts)
    _asizer._clear()
    return size


def asizesof(*objs: Any, **opts: Any) -> Tuple[int, ...]:
    """Bytes of each given object, in a tuple; what several lead to counts with the first. Options as asizeof()."""
    _asizer.reset(**opts)
    if not objs:
        return ()
    sizes = _asizer.asizesof(*objs)
    _asizer.print_stats(objs, opts=opts, sizes=sizes)
    _asizer._clear()
    return sizes


def asized(*objs: Any, **opts: Any) -> Any:
    """An Asized for one given object, a tuple of them for several. Options as asizeof(), and

    detail=0       levels of referents that get an Asized of their own, by name
    """
    _asizer.reset(**opts)
    if not objs:
        return ()
    sizes = _asizer.asized(*objs)
    _asizer.print_stats(objs, opts=opts, sized=sizes)
    _asizer._clear()
    return sizes


def basicsize(obj: Any, derive: bool = False, infer: bool = False, save: bool = False) -> int:
    """Bytes of an object without its items, the collector's header included."""
    return typedef_of(obj, save, infer).base


def flatsize(obj: Any, align: int = 0, derive: bool = False, infer: bool = False, save: bool = False) -> int:
    """Bytes of an object alone, as sys.getsizeof() says, rounded up to a multiple of align."""
    if align > 1 and align & (align - 1):
        raise _option_error(flatsize, align=align)
    mask = align - 1 if align > 1 else 0
    return (_heapwhy.sizeof(obj) + mask) & ~mask


def itemsize(obj: Any, derive: bool = False, infer: bool = False, save: bool = False) -> int:
    """Bytes of one item of an object; 0 if it has no items."""
    known = typedef_of(obj, save, infer)
    return getattr(obj, known.vari, known.item) if known.vari else known.item


def leng(obj: Any, derive: bool = False, infer: bool = False, save: bool = False) -> Optional[int]:
    """How many items an object has, or has room for: of a list its slots, of an int its digits. None: no such thing."""
    known = typedef_of(obj, save, infer)
    if not known.leng:
        return None
    count = known.leng(obj)
    return count // (getattr(obj, known.vari) or 1) if known.vari else count


def named_refs(obj: Any, derive: bool = False, infer: bool = False, save: bool = False) -> List[Tuple[str, Any]]:
    """[(name, referent), ...] of the referents that have a name. Instances are asked for __dict__, which makes one."""
    return [(name, ref) for name, ref in referents(obj, infer=infer) if name is not None]


def refs(obj: Any, derive: bool = False, infer: bool = False, save: bool = False) -> Iterator[Any]:
    """The referents of an object."""
    return (ref for _, ref in referents(obj, infer=infer))
