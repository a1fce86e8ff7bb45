# SPDX-License-Identifier: Apache-2.0
"""A heap set in parts: a table that is a sequence of sets."""
from __future__ import annotations

import html
from typing import Any, Iterable

from heapwhy import _heapwhy
from heapwhy.arguments import counted, kind_of, whole
from heapwhy.naming import type_name

__all__ = ["Partition", "Row"]

TABLE_ROWS = 10
KIND_WIDTH = 32
TITLES = {"type": "type", "class": "class", "module": "module", "size": "bytes each", "referrers": "referrers by class",
          "via": "referred to as", "site": "allocated at", "id": "object", "unity": ""}


def class_text(key: Any) -> str:
    """The text of what partition() by class gives as key."""
    if isinstance(key, tuple):
        return "dict of %s" % type_name(key[1]) if key[1] else "dict (no owner)"
    return type_name(key) if isinstance(key, type) else str(key)


def key_text(by: str, key: Any) -> str:
    if by in ("type", "class"):
        return class_text(key)
    if by == "referrers":
        return ", ".join(sorted(class_text(part) for part in key)) or "<nothing>"
    if by == "via":
        return ", ".join(sorted(key)) or "<nothing>"
    if by == "site":
        return "%s:%d" % key if key else "<not traced>"
    if by == "id":
        return "%#x" % key
    return "<all>" if by == "unity" else str(key)


class Row(_heapwhy.Result):
    """kind (str), key (what it is made from), count, bytes, share and cumulative (of all bytes, 0 to 1)."""
    __slots__ = ("number", "key", "kind", "count", "bytes", "share", "cumulative")

    def __init__(self, number: Any, key: Any, kind: str, count: int, size: int) -> None:
        self.number, self.key, self.kind, self.count, self.bytes = number, key, kind, count, size
        self.share = self.cumulative = 0.0

    def to_dict(self) -> dict[str, Any]:
        """What to_dicts() of the table has for the row."""
        return {"kind": self.kind, "count": self.count, "bytes": self.bytes,
                "share": self.share, "cumulative": self.cumulative}

    def __repr__(self) -> str:
        return "<%s: %s, %s>" % (self.kind, counted(self.count, "object"), counted(self.bytes, "byte"))


def clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[:width - 1] + "\u2026"


def number_text(number: int) -> str:
    return "{:,}".format(number)


class Table(_heapwhy.Result):
    """Rows with a face: text in 80 columns, HTML in notebooks, dicts for machines."""
    __slots__ = ("rows", "by")

    def title(self) -> str:
        """The line above the table."""
        raise NotImplementedError

    def table(self, limit: int | None = TABLE_ROWS) -> str:
        """The first rows as text; limit=None: all of them. TypeError, UsageError for a limit that is no number of rows."""
        shown = self.rows if limit is None else self.rows[:whole("limit", limit, 0)]
        lines = [self.title(), "   #      count    %          bytes    %  cum%  " + TITLES[self.by]]
        count, _ = self.totals()
        lines += ["%4d %10s %4s %14s %4s  %4s  %s" % (
            place, number_text(row.count), percent(row.count, count), number_text(row.bytes),
            "%.0f" % (100 * row.share), "%.0f" % (100 * row.cumulative), clip(row.kind, KIND_WIDTH)) for place, row in
            enumerate(shown)]
        if len(shown) < len(self.rows):
            lines.append("%4s %s: .table(limit=None)" % ("", counted(len(self.rows) - len(shown), "more row", ",")))
        return "\n".join(lines)

    def totals(self) -> tuple[int, int]:
        """(objects, bytes) of all rows."""
        return sum(row.count for row in self.rows), sum(row.bytes for row in self.rows)

    def to_dicts(self) -> list[Any]:
        """[{"kind", "count", "bytes", "share", "cumulative"}, ...], largest first."""
        return [row.to_dict() for row in self.rows]

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        head = "".join("<th>%s</th>" % title for title in ("#", "count", "bytes", "%", "cum %", TITLES[self.by]))
        body = "".join("<tr><td>%d</td><td>%s</td><td>%s</td><td>%.0f</td><td>%.0f</td><td style='text-align:left'>"
                       "%s</td></tr>" % (place, number_text(row.count), number_text(row.bytes), 100 * row.share,
                                         100 * row.cumulative, html.escape(row.kind))
                       for place, row in enumerate(self.rows[:5 * TABLE_ROWS]))
        return "<table><caption>%s</caption><tr>%s</tr>%s</table>" % (html.escape(self.title()), head, body)


def percent(part: int, whole: int) -> str:
    return "%.0f" % (100 * part / whole) if whole else ""


def shares_fill(rows: list[Row]) -> None:
    """share and cumulative of rows that are in order."""
    total, so_far = sum(row.bytes for row in rows), 0
    for row in rows:
        so_far += row.bytes
        row.share = row.bytes / total if total else 0.0
        row.cumulative = so_far / total if total else 0.0


class Partition(Table):
    """The parts of a set, largest first: `p[0]` is a HeapSet, `p.rows` the table, `p["app.Session"]` a part by name.

    Members and parts stay as they were when it was made, also when members die: 2 to 5 bytes for each.

    >>> p = heapwhy.heap().by_class()
    >>> p[0].kind, p.rows[0].count, p.rows[0].bytes
    (<class 'str'>, 12178, 1049493)
    """
    __slots__ = ("set_type", "parts")

    def __init__(self, members: Any, by: str, own: bool = False) -> None:
        self.by = by
        self.set_type = type(members)
        self.parts = _heapwhy.partition(members, by, own)
        self.rows = rows_merge([Row(number, key, key_text(by, key), count, size)
                                for number, key, count, size in self.parts.rows])
        self.rows.sort(key=lambda row: (-row.bytes, -row.count, row.kind))
        shares_fill(self.rows)

    def title(self) -> str:
        """The line above the table."""
        count, size = self.totals()
        return "%s, %s" % (counted(count, "object", ","), counted(size, "byte", ","))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        """A row's set; of a slice, the members of all its rows; by the text of a kind, that row's."""
        if isinstance(place, str):
            rows = [row for row in self.rows if row.kind == place]
            if not rows:
                raise KeyError(place)
        else:
            rows = self.rows[place] if isinstance(place, slice) else [self.rows[place]]
        part = self.parts.select(self.set_type, tuple(number for row in rows for number in row.number))
        if len(rows) == 1:
            part._kind = rows[0].key
        return part

    def diff(self, earlier: "Partition") -> "Growth":
        """What each kind has grown by since an earlier partition by the same relation."""
        if not issubclass(type(earlier), Partition):
            raise TypeError("diff() compares with an earlier partition, not with %s" % kind_of(earlier))
        return Growth(self, earlier)


def row_key(row: Row) -> Any:
    """What makes two rows the same kind: the class, and otherwise how it reads."""
    return row.key if isinstance(row.key, type) else row.kind


def rows_merge(rows: Iterable[Row]) -> list[Row]:
    """Two strings, equal and not identical, are one label: their rows become one."""
    merged = {}
    for row in rows:
        known = merged.setdefault(row_key(row), row)
        if known is row:
            row.number = (row.number,)
        else:
            known.number += (row.number,)
            known.count += row.count
            known.bytes += row.bytes
    return list(merged.values())


class Growth(Table):
    """The difference of two partitions: rows whose count and bytes are what has come (negative: gone)."""
    __slots__ = ()

    def __init__(self, later: Partition, earlier: Partition) -> None:
        if later.by != earlier.by:
            raise _heapwhy.UsageError("a partition by %s can't be compared with one by %s" % (later.by, earlier.by))
        self.by = later.by
        changes = {}
        for sign, rows in ((1, later.rows), (-1, earlier.rows)):
            for row in rows:
                change = changes.setdefault(row_key(row), Row((), row.key, row.kind, 0, 0))
                change.count += sign * row.count
                change.bytes += sign * row.bytes
        self.rows = [row for row in changes.values() if row.count or row.bytes]
        self.rows.sort(key=lambda row: (-row.bytes, -row.count, row.kind))
        shares_fill(self.rows)

    def title(self) -> str:
        """The line above the table."""
        count, size = self.totals()
        return "%s, %s since then" % (counted(count, "object", "+d"), counted(size, "byte", "+d"))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, place: Any) -> Any:
        return self.rows[place]
