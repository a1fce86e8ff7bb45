# SPDX-License-Identifier: Apache-2.0
"""Summaries: how many objects of each type there are, and how large they are.

A summary is a list of rows [name of the type, number of objects, bytes]. It keeps no object alive.
Functions, modules and frames have a row for each name; `representations` says how objects of a type are
called, and may be added to.
"""
import re
import types
from typing import Any, Callable, Dict, Iterable, Iterator, List, Sequence, Tuple

from heapwhy._heapwhy import sizeof, summary as _census
from heapwhy.compat.pympler.util import stringutils

Row = List[Any]
Summary = List[Row]

_SORTS = ("type", "#", "size")
_ORDERS = ("ascending", "descending")


def _typename(o: Any) -> str:
    return str(type(o))


def _module_name(module: types.ModuleType) -> str:
    nameless = "nameless, id: %d" % id(module)
    return "module(%s)" % getattr(module, "__name__", getattr(module, "__file__", nameless))


# For a type, how its objects are called: each next form tells more.
representations: Dict[type, List[Callable[[Any], str]]] = {
    dict: [_typename, lambda d: "dict, len=%s" % len(d)],
    list: [_typename, lambda l: "list, len=%s" % len(l)],
    set: [_typename, lambda s: "set, len=%s" % len(s)],
    types.FunctionType: [lambda f: "function (%s)" % f.__name__,
                         lambda f: "function (%s.%s)" % (f.__module__, f.__name__)],
    types.ModuleType: [_module_name],
    types.FrameType: [
        lambda f: "frame (codename: %s)" % f.f_code.co_name,
        lambda f: "frame (codename: %s, codeline: %s)" % (f.f_code.co_name, f.f_code.co_firstlineno),
        lambda f: "frame (codename: %s, filename: %s, codeline: %s)" % (
            f.f_code.co_name, f.f_code.co_filename, f.f_code.co_firstlineno)],
}

type_repr = re.compile(r"^<(type|class) '(\S+)'>$")
address = re.compile(r" at 0x[0-9a-f]+")


def _shorten(name: str) -> str:
    """A name without an address, of a class without what repr() puts around it."""
    name = address.sub("", name)
    plain = type_repr.match(name)
    return plain.group(2) if plain else name


def _repr(o: Any, verbosity: int = 1) -> str:
    """How an object is called in a summary; verbosity 2 and more tell more, where there is more to tell."""
    forms = representations.get(type(o)) if verbosity else None
    if not forms:
        return _shorten(str(type(o)))
    return _shorten(forms[min(verbosity, len(forms)) - 1](o))


_plain_repr = _repr


def _told_apart() -> Tuple[type, ...]:
    """The types whose objects are not all called like the type."""
    return tuple(kind for kind, forms in representations.items() if forms and forms[0] is not _typename)


def _rows(objects: Any, hide: Tuple[Any, ...] = ()) -> Summary:
    """A summary of a list, or of all that is alive (None), without what `hide` takes."""
    if _repr is not _plain_repr:
        raise LookupError("objects have names of somebody's own")
    counted, apart = _census(objects, _told_apart(), hide)
    named = [(str(kind), count, size) for kind, count, size in counted]
    named += [(representations[type(item)][0](item), 1, sizeof(item)) for item in apart]
    rows: Dict[str, Row] = {}
    # No function of ours is called for each row: code that runs often grows, in some versions, and would show.
    for name, count, size in named:
        name = address.sub("", name)
        plain = type_repr.match(name)
        row = rows.setdefault(plain.group(2) if plain else name, [None, 0, 0])
        row[1] += count
        row[2] += size
    for name, row in rows.items():
        row[0] = name
    return list(rows.values())


def summarize(objects: Iterable[Any]) -> Summary:
    """Rows [type, number of objects, bytes of them all], in no order, of the objects of an iterable.

    >>> summarize(["a", "b", 1.5])
    [['str', 2, 100], ['float', 1, 24]]
    """
    if _repr is _plain_repr:
        return _rows(objects if isinstance(objects, list) else list(objects))
    rows: Dict[str, Row] = {}
    for o in objects:
        row = rows.setdefault(_repr(o), [_repr(o), 0, 0])
        row[1] += 1
        row[2] += sizeof(o)
    return list(rows.values())


def get_diff(left: Summary, right: Summary) -> Summary:
    """What is more (or, below zero, less) in the right summary than in the left one, a row for each type."""
    before = {row[0]: row for row in left}
    after = {row[0]: row for row in right}
    none = (None, 0, 0)
    result = []
    for key in {**after, **before}:
        old, new = before.get(key, none), after.get(key, none)
        result.append([key, new[1] - old[1], new[2] - old[2]])
    return result


# As articles about Pympler call it.
diff = get_diff


def format_(rows: Summary, limit: int = 15, sort: str = "size", order: str = "descending") -> Iterator[str]:
    """The lines of the table of a summary.

    limit: rows at most; sort: by 'size', 'type' or '#'; order: 'ascending' or 'descending'. Raises
    ValueError for others.
    """
    if sort not in _SORTS:
        raise ValueError("invalid sort, should be one of" + str(list(_SORTS)))
    if order not in _ORDERS:
        raise ValueError("invalid order, should be one of" + str(list(_ORDERS)))
    column = _SORTS.index(sort)
    key = (lambda row: _repr(row[0])) if column == 0 else (lambda row: row[column])
    local = sorted(rows, key=key, reverse=order == "descending")[:limit]
    table = [["types", "# objects", "total size"]]
    table += [[row[0], row[1], stringutils.pp(row[2])] for row in local]
    return _format_table(table)


def _format_table(rows: Sequence[Sequence[Any]], header: bool = True) -> Iterator[str]:
    """The lines of a table, cells at the right; header: a line of = below the first."""
    widths = [max(len(str(cell)) for cell in column) + 2 for column in zip(*rows)]
    for row in rows:
        yield " | ".join(str(cell).rjust(width) for cell, width in zip(row, widths))
        if header:
            yield " | ".join("=" * width for width in widths)
            header = False


def print_(rows: Summary, limit: int = 15, sort: str = "size", order: str = "descending") -> None:
    """Prints a summary as format_() makes it."""
    for line in format_(rows, limit=limit, sort=sort, order=order):
        print(line)


def _traverse(summary: Summary, function: Callable[..., Any], *args: Any) -> None:
    """Calls function with the summary, each of its rows and each item of these."""
    function(summary, *args)
    for row in summary:
        function(row, *args)
        for item in row:
            function(item, *args)


def _subtract(summary: Summary, o: Any) -> Summary:
    """Takes one object out of a summary, which is changed and returned."""
    name, size = _repr(o), sizeof(o)
    rows = [row for row in summary if row[0] == name]
    for row in rows:
        row[1] -= 1
        row[2] -= size
    if not rows:
        summary.append([name, -1, -size])
    return summary


def _sweep(summary: Summary) -> Summary:
    """The rows in which something changed."""
    return [row for row in summary if row[1] or row[2]]
