# SPDX-License-Identifier: Apache-2.0
"""Answers as sequences of light records.

A record's fields have the names and meanings of the keys that the program's --json prints (docs/json.md);
only addresses are numbers, as id() gives them. What C said stays in C until somebody looks.
"""
import html
import json
import operator
import os
from collections.abc import Sequence
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from heapwhy import _heapwhy, arguments
from heapwhy.naming import type_name

_ADDRESSES = ("addr", "example")
_WIDTH = 80
_ROWS = 20  # of a table that nobody asked to be longer
_HTML_ROWS = 60


def _start_time() -> int:
    """When this process began, in ticks since the machine's start; with the pid an identity."""
    with open("/proc/self/stat", "rb") as file:
        return int(file.read().rpartition(b")")[2].split()[19])


class Moment:
    """Which process a record is of: live objects are those of this one alone."""
    __slots__ = ("pid", "start_time")

    def __init__(self, pid: int, start_time: int) -> None:
        self.pid = pid
        self.start_time = start_time

    def is_ours(self) -> bool:
        """Whether it is this process."""
        return self.pid == os.getpid() and self.start_time == _start_time()


class Record:
    """One row. Its fields are attributes; dir() lists them, to_dict() gives all.

    >>> row = heapwhy.types()[0]
    >>> row.type, row.objects
    ('dict', 1841)
    """
    __slots__ = ("_row", "_moment")

    def __init__(self, row: Dict[str, Any], moment: Optional[Moment]) -> None:
        self._row = row
        self._moment = moment

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            value = self._row[name]
        except KeyError:
            raise self._unknown(name) from None
        if name in _ADDRESSES and value is not None:
            return int(value, 16)
        return _wrapped(name, value, self._moment)

    def _unknown(self, name: str) -> AttributeError:
        return AttributeError("%s has no field %.80r; it has %s" % (
            type(self).__name__, name, ", ".join(self._row)))

    @property
    def object(self) -> Any:
        """The live object at this record's address.

        It is looked for among all that is alive, and its type is compared. LookupError: there is none any
        more, or the record is of another process. Another object of the same type that was made at the same
        place since then can't be told from it.
        """
        address = self._row.get("addr") or self._row.get("example")
        if not address:
            raise LookupError("%s has no address" % arguments.with_article(type(self).__name__))
        if not self._moment or not self._moment.is_ours():
            raise LookupError("%s was an object of another process" % address)
        (found,) = _heapwhy.objects_at([int(address, 16)])
        wanted = self._row.get("type") if self._row.get("addr") else None
        if found is None or wanted and type_name(type(found)) != wanted:
            raise LookupError("there is no %s at %s any more" % (wanted or "object", address))
        return found

    def to_dict(self) -> Dict[str, Any]:
        """The row as --json prints it."""
        return self._row

    def __dir__(self) -> List[str]:
        return list(super().__dir__()) + list(self._row)

    def __eq__(self, other: Any) -> bool:
        return self._row == other._row if isinstance(other, Record) else NotImplemented

    __hash__ = None

    def __repr__(self) -> str:
        fields = ", ".join("%s=%s" % (name, _short(value)) for name, value in self._row.items())
        return "%s(%s)" % (type(self).__name__, fields)


class TypeRow(Record):
    """A type: `type`, `objects`, `bytes`, `native_bytes` (outside of objects)."""
    __slots__ = ()


class Step(Record):
    """One hop of a chain: `edge`, `type`, `addr`, `what`, `inferred`."""
    __slots__ = ()


class Chain(Record):
    """How a root holds an object: `path`, a Python expression, and `steps`."""
    __slots__ = ()

    def __str__(self) -> str:
        return self.path


class Link(Record):
    """A reference: `edge`, and of the object at its other end `type`, `addr`, `value`; `inferred`."""
    __slots__ = ()


class ObjectRow(Record):
    """An object: `type`, `addr`, `size`, `native_bytes`, `refcount`, `value`."""
    __slots__ = ()


class Suspect(Record):
    """What leaks: `type`, `path` (who holds it), `cause`, `evidence`, `fix`, rates; docs/json.md has all."""
    __slots__ = ()


_KINDS = {"types": TypeRow, "steps": Step, "chains": Chain, "also_held_by": Chain, "referents": Link,
          "referrers": Link, "suspects": Suspect}


def _wrapped(name: str, value: Any, moment: Optional[Moment]) -> Any:
    if isinstance(value, dict):
        return Record(value, moment)
    if isinstance(value, list) and value and isinstance(value[0], dict):
        kind = _KINDS.get(name, Record)
        return Rows([kind(row, moment) for row in value])
    return tuple(value) if isinstance(value, list) else value


def _has(row: Record, name: str, value: Any) -> bool:
    """Whether a field has this value; one that is not there has None."""
    if name != "object":
        return bool((getattr(row, name) if name in row.to_dict() else None) == value)
    address = row.to_dict().get("addr") or row.to_dict().get("example")
    if not address or int(address, 16) != id(value):  # before all that is alive is looked through
        return False
    try:
        return row.object is value
    except LookupError:
        return False


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "[%d]" % len(value)
    if isinstance(value, dict):
        return "{...}"
    text = value if isinstance(value, str) and value.startswith("0x") else repr(value)
    return text if len(text) <= 60 else text[:28] + "..." + text[-28:]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return format(value, ",")
    if isinstance(value, float):
        return format(value, ",.1f")
    return _short(value) if isinstance(value, (list, dict)) else "" if value is None else str(value)


class Rows(Sequence):
    """Records in an order. Slices, filter() and sorted() give new Rows of the same records."""
    __slots__ = ("_rows",)

    def __init__(self, rows: "Sequence[Record]") -> None:
        self._rows = rows

    def _records(self) -> "Sequence[Record]":
        return self._rows

    def __len__(self) -> int:
        return len(self._records())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Rows(self._records()[index])
        return self._records()[index]

    def __iter__(self) -> Iterator[Record]:
        return iter(self._records())

    def __eq__(self, other: Any) -> bool:
        return list(self) == list(other) if isinstance(other, Rows) else NotImplemented

    __hash__ = None

    def filter(self, test: Optional[Callable[[Record], Any]] = None, **fields: Any) -> "Rows":
        """Those for which test(record) is true and whose fields have these values.

        object=x means the rows of this very object; a row that has none, or none any more, is not among them.
        AttributeError: no row has such a field. Where some have it, it is None in the others.

        >>> heapwhy.types().filter(lambda row: row.objects > 1000)
        >>> heapwhy.cycles().filter(kind="closure")
        """
        for name in fields:
            if len(self) and name != "object" and not any(name in row.to_dict() for row in self):
                raise self[0]._unknown(name)
        return Rows([row for row in self if (test is None or test(row)) and
                     all(_has(row, name, value) for name, value in fields.items())])

    def sorted(self, key: Any, reverse: bool = False) -> "Rows":
        """By a field's name, or by a function of the record. AttributeError: there is no such field."""
        by = (lambda row: getattr(row, key)) if isinstance(key, str) else key
        return Rows(sorted(self, key=by, reverse=bool(reverse)))

    def to_dicts(self) -> List[Dict[str, Any]]:
        """The rows as --json prints them."""
        return [row.to_dict() for row in self]

    # Columns that fit: the numbers, the rest cut.
    def _columns(self) -> List[str]:
        first = self._records()[0].to_dict() if len(self) else {}
        return [name for name, value in first.items() if not isinstance(value, (list, dict))]

    def __repr__(self) -> str:
        if not len(self):
            return "(none)"
        columns = self._columns()
        shown = [[_cell(row.to_dict().get(name)) for name in columns] for row in self[:_ROWS]]
        right = [isinstance(self[0].to_dict().get(name), (int, float)) for name in columns]
        lines = _aligned([columns] + shown, right)
        if len(self) > _ROWS:
            lines.append("and %s more" % format(len(self) - _ROWS, ","))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        columns = self._columns()
        rows = "".join("<tr>%s</tr>" % "".join(_html_cell(row.to_dict().get(name)) for name in columns)
                       for row in self[:_HTML_ROWS])
        more = len(self) - _HTML_ROWS
        return "<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>%s" % (
            "".join("<th>%s</th>" % html.escape(name) for name in columns), rows,
            "<p>and %s more</p>" % format(more, ",") if more > 0 else "")


def _html_cell(value: Any) -> str:
    align = "right" if isinstance(value, (int, float)) and not isinstance(value, bool) else "left"
    return '<td style="text-align: %s">%s</td>' % (align, html.escape(_cell(value)))


def _aligned(table: List[List[str]], right: List[bool]) -> List[str]:
    """Lines of at most 80 columns: the widest text column is cut in the middle."""
    widths = [max(len(row[i]) for row in table) for i in range(len(right))]
    texts = [i for i in range(len(right)) if not right[i]]
    while texts and sum(widths) + 2 * (len(widths) - 1) > _WIDTH:
        widest = max(texts, key=lambda i: widths[i])
        if widths[widest] <= 8:
            break
        widths[widest] -= 1
    return ["  ".join(_padded(text, widths[i], right[i]) for i, text in enumerate(row)).rstrip() for row in table]


def _padded(text: str, width: int, is_right: bool) -> str:
    if len(text) > width:
        head = (width - 3 + 1) // 2
        text = text[:head] + "..." + text[len(text) - (width - 3 - head):] if width > 3 else text[:width]
    return text.rjust(width) if is_right else text.ljust(width)


class Answer(Rows):
    """What the library answered: its rows, what it says besides them as attributes, and its text.

    repr() is what the program prints; text(limit=0) has all rows. to_dict() is the whole of --json.
    """
    __slots__ = ("_answer", "_moment", "_list", "_whole")

    def __init__(self, answer: "_heapwhy.Answer", rows: str, moment: Moment) -> None:
        super().__init__(None)
        self._answer = answer
        self._moment = moment
        self._list = rows
        self._whole = None

    def to_dict(self) -> Dict[str, Any]:
        """The whole answer, as --json prints it."""
        if self._whole is None:
            self._whole = json.loads(self._answer.json())
        return self._whole

    def text(self, limit: int = -1, width: int = _WIDTH, color: bool = False) -> str:
        """As the program prints it. limit: rows of each list; -1: as many as the program shows, 0: all."""
        most = (1 << 31) - 1
        return self._answer.text(min(arguments.whole("limit", limit, -1), most),
                                 min(arguments.whole("width", width, 1), most), bool(color)).rstrip("\n")

    def _records(self) -> "Sequence[Record]":
        if self._rows is None:
            name = self._list.rpartition(".")[2]
            kind = _KINDS.get(name, Record)
            self._rows = [kind(row, self._moment) for row in _rows_of(self.to_dict(), self._list)]
        return self._rows

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        whole = self.to_dict()
        if name not in whole:
            raise AttributeError("this answer has no %.80r; it has %s" % (name, ", ".join(whole)))
        return _wrapped(name, whole[name], self._moment)

    def __dir__(self) -> List[str]:
        return list(super().__dir__()) + list(self.to_dict())

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        said = self.to_dict().get("answer")
        return ("<p>%s</p>" % html.escape(said) if said else "") + super()._repr_html_()


def _rows_of(whole: Dict[str, Any], path: str) -> List[Dict[str, Any]]:
    """The rows under "objects.chains": of each object its chains, one after the other."""
    rows = [whole]
    for name in path.split("."):
        rows = [row for item in rows for row in item[name]]
    return rows


class Chains(Answer):
    """Chains to objects, the most telling first; `objects` says whose they are."""
    __slots__ = ()

    def _columns(self) -> List[str]:
        return ["path"]

    def _repr_svg_(self) -> str:
        from heapwhy.drawing import chains_svg
        return chains_svg([chain.to_dict() for chain in self])


def _bars(rows: Rows) -> str:
    from heapwhy.drawing import bars_svg
    return bars_svg([(row.type, row.bytes_delta) for row in rows])


class Growth(Answer):
    """Growth by type; `holders` has growth by place, `snapshots` the moments."""
    __slots__ = ()

    def _repr_svg_(self) -> str:
        return _bars(self)


class Grown(Rows):
    """What has become more, by type: rows of growth alone."""
    __slots__ = ()

    def _repr_svg_(self) -> Optional[str]:
        return _bars(self) if len(self) else None


class Objects(Rows):
    """Many objects, each a row that is made when it is asked for.

    `addresses`, `sizes`, `native_sizes`: whole columns, memoryviews of uint64 in the order of the rows.
    """
    __slots__ = ("_nodes", "_moment")

    def __init__(self, nodes: "_heapwhy.Nodes", moment: Moment) -> None:
        super().__init__(None)
        self._nodes = nodes
        self._moment = moment

    def _records(self) -> "Sequence[Record]":
        return self

    def __len__(self) -> int:
        return len(self._nodes)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Rows([self[i] for i in range(*index.indices(len(self)))])
        place = operator.index(index)
        addr, kind, size, native_bytes, refcount, value = self._nodes[place + len(self) if place < 0 else place]
        return ObjectRow({"type": kind, "addr": hex(addr), "size": size, "native_bytes": native_bytes,
                          "refcount": refcount, "value": value}, self._moment)

    def __iter__(self) -> Iterator[Record]:
        return (self[i] for i in range(len(self)))

    def _column(self, name: str) -> memoryview:
        return memoryview(self._nodes.column(name)).cast("Q")

    @property
    def addresses(self) -> memoryview:
        """Of each object, as id() gives it: uint64."""
        return self._column("addr")

    @property
    def sizes(self) -> memoryview:
        """Bytes of each object: uint64."""
        return self._column("size")

    @property
    def native_sizes(self) -> memoryview:
        """Bytes that each object has outside of Python's objects: uint64."""
        return self._column("native_bytes")

    def live(self) -> Tuple[Any, ...]:
        """The live objects, in one walk over the heap: None for what is gone, or is of another type now."""
        if not self._moment.is_ours():
            raise LookupError("these were objects of another process")
        names: Dict[type, str] = {}
        return tuple(found if _named(found, names) == wanted else None
                     for found, wanted in zip(_heapwhy.objects_at(self.addresses.tolist()), self._nodes.types()))


def _named(found: Any, names: Dict[type, str]) -> str:
    """The name of an object's type, which names remembers."""
    kind = type(found)
    if kind not in names:
        names[kind] = type_name(kind)
    return names[kind]
