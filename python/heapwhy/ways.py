# SPDX-License-Identifier: Apache-2.0
"""What holds the members of a set: shortest paths, spelled as Python, and patterns of referrers."""
from __future__ import annotations

import html
import re
from typing import Any, Iterable, Iterator

from heapwhy import _heapwhy
from heapwhy.naming import type_name
from heapwhy.partition import class_text, number_text

__all__ = ["Path", "Paths", "Pattern", "PatternNode"]

SHOWN = 10
DICT_ITEM = re.compile(r"\.__dict__\['([^\W\d]\w*)'\]")


class Path(_heapwhy.Result):
    """One way: `text` to write in Python, `steps` [(label, type of what it leads to), ...], `addresses`."""
    __slots__ = ("steps", "addresses")

    def __init__(self, steps: list[tuple[str, type]], addresses: list[int]) -> None:
        self.steps, self.addresses = steps, addresses

    @property
    def text(self) -> str:
        """sys.modules['app'].hub.conns[3]; what Python can't spell stands in <>."""
        return DICT_ITEM.sub(r".\1", "".join(label for label, _ in self.steps))

    def __len__(self) -> int:
        return len(self.steps) - 1

    def __repr__(self) -> str:
        return self.text


class Paths(_heapwhy.Result):
    """All shortest ways to each member of a set; a sequence of Path, nearest members first.

    lengths     {address of a member: references from the start}; a member that no way leads to is missing
    references  [(level, holder, referent, type of the referent, label), ...]: the graph of all these ways
    cut         True: there are more references than limit, and so more paths
    """
    __slots__ = ("starts", "references", "lengths", "cut", "_levels", "_into", "_counts")

    def __init__(self, members: Any, from_: Any, avoid: Any, limit: int, own: bool) -> None:
        self.starts, self.references, found, self.cut = _heapwhy.shortest_paths(members, from_, avoid, limit, own)
        self._levels = {address: level for address, (level, _) in found.items()}
        self.lengths = {address: length for address, (_, length) in found.items()}
        self._into: dict[tuple[int, int], list[tuple[Any, str, type]]] = {}
        for level, holder, referent, cls, label in self.references:
            self._into.setdefault((level + 1, referent), []).append((holder, label, cls))
        for level, address, cls, label in self.starts:
            self._into.setdefault((level, address), []).append((None, label, cls))
        self._counts = self._ways_count()

    def _ways_count(self) -> dict[tuple[int, int], int]:
        """{(level, address): ways from the start}"""
        counts: dict[tuple[int, int], int] = {}
        for level, address, _, _ in self.starts:
            counts[level, address] = counts.get((level, address), 0) + 1
        for level, holder, referent, _, _ in sorted(self.references, key=lambda reference: reference[0]):
            counts[level + 1, referent] = counts.get((level + 1, referent), 0) + counts.get((level, holder), 0)
        return counts

    def __len__(self) -> int:
        return sum(self._counts.get((level, address), 0) for address, level in self._levels.items())

    def __iter__(self) -> Iterator[Path]:
        for address, level in sorted(self._levels.items(), key=lambda item: (self.lengths[item[0]], item[0])):
            yield from self._ways(level, address)

    def _ways(self, level: int, address: int) -> Iterator[Path]:
        """Depth first, from the member back to the start; a tail is (step, tail), so ways share it."""
        waiting: list[Any] = [(level, address, None)]
        while waiting:
            at_level, at, tail = waiting.pop()
            for holder, label, cls in reversed(self._into.get((at_level, at), ())):
                way = ((label, cls, at), tail)
                if holder is None:
                    yield path_of(way)
                else:
                    waiting.append((at_level - 1, holder, way))

    def __getitem__(self, place: int) -> Path:
        if place < 0:
            place += len(self)
        for number, path in enumerate(self):
            if number == place:
                return path
        raise IndexError("there are not so many paths")

    def to_dicts(self, limit: int = SHOWN) -> list[Any]:
        """[{"text", "length", "steps": [{"label", "type", "address"}, ...]}, ...] of the first paths."""
        return [{"text": path.text, "length": len(path),
                 "steps": [{"label": label, "type": type_name(cls), "address": address}
                           for (label, cls), address in zip(path.steps, path.addresses)]}
                for _, path in zip(range(limit), self)]

    def __repr__(self) -> str:
        total = len(self)
        if not total:
            return "no path leads there"
        lines = ["%2d: %s" % (number, path) for number, path in zip(range(SHOWN), self)]
        if total > len(lines) or self.cut:
            beyond = " and those beyond the limit" if self.cut else ""
            lines.append("    %s more paths%s" % (number_text(total - len(lines)), beyond))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return "<pre>%s</pre>" % html.escape(repr(self))


def path_of(way: Any) -> Path:
    steps: list[tuple[str, type]] = []
    addresses: list[int] = []
    while way:
        (label, cls, address), way = way
        steps.append((label, cls))
        addresses.append(address)
    return Path(steps, addresses)


class PatternNode(_heapwhy.Result):
    """`kind` (str), `count`, `depth`, `set` (a HeapSet, or None), `children`, `state`: "" or why it ends here."""
    __slots__ = ("kind", "count", "depth", "set", "children", "state")

    def __init__(self, depth: int, key: Any, count: int, state: str, members: Any) -> None:
        self.kind, self.count, self.depth, self.set, self.state = class_text(key), count, depth, members, state
        self.children: list[PatternNode] = []

    def to_dict(self) -> dict[str, Any]:
        """The node and all below it."""
        return {"kind": self.kind, "count": self.count, "state": self.state,
                "children": [child.to_dict() for child in self.children]}

    def __repr__(self) -> str:
        return "<%d %s, %d below>" % (self.count, self.kind, len(self.children))


STATE_WORDS = {"stop": "", "cycle": "  (seen above)", "depth": "  \u2026", "more": "", "": ""}


class Pattern(_heapwhy.Result):
    """A tree of what refers to a set: `pattern[0]` the first kind of its members, `.children` its referrers.

    Nodes can be had by their number in the text, too: pattern.node(3).set
    """
    __slots__ = ("roots", "nodes")

    def __init__(self, members: Any, depth: int, width: int, nodes: int, own: bool) -> None:
        self.nodes: list[PatternNode] = []
        self.roots: list[PatternNode] = []
        for parent, level, key, count, state, found in _heapwhy.reference_pattern(members, depth, width, nodes, own):
            node = PatternNode(level, key, count, state, found)
            self.nodes.append(node)
            (self.nodes[parent].children if parent >= 0 else self.roots).append(node)
        self.nodes = list(in_order(self.roots))

    def node(self, number: int) -> PatternNode:
        """The node of a line."""
        return self.nodes[number]

    def __len__(self) -> int:
        return len(self.roots)

    def __getitem__(self, place: Any) -> Any:
        return self.roots[place]

    def to_dicts(self) -> list[Any]:
        """[{"kind", "count", "state", "children": [...]}, ...]"""
        return [root.to_dict() for root in self.roots]

    def __repr__(self) -> str:
        return "\n".join("%3d: %s%s %s%s" % (number, "  " * node.depth, number_text(node.count), node.kind,
                                             STATE_WORDS[node.state]) for number, node in enumerate(self.nodes))

    def _repr_html_(self) -> str:
        return "<pre>%s</pre>" % html.escape(repr(self))


def in_order(nodes: Iterable[PatternNode]) -> Iterator[PatternNode]:
    """Parents before children, without recursion."""
    waiting = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))
