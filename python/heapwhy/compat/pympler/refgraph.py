# SPDX-License-Identifier: Apache-2.0
"""References between given objects, as a picture by graphviz."""
import copy
import gc
import subprocess
from typing import Any, Dict, Iterable, Iterator, List, Optional, Set

from heapwhy.compat.pympler.asizeof import Asizer, named_refs
from heapwhy.compat.pympler.util.stringutils import safe_repr, trunc

__all__ = ["ReferenceGraph"]

_STYLE = ("-Nfontsize=10", "-Efontsize=10", "-Nstyle=filled", "-Nfillcolor=#E5EDB8", "-Ncolor=#CCCCCC")
_COLORS = {"instancemethod": ", color=red", "frame": ", color=orange"}


class _MetaObject:
    """What is told of an object: size, id, type, str; cycle, group: of the graph it is in."""

    __slots__ = ("size", "id", "type", "str", "group", "cycle")

    def __init__(self, obj: Any, size: int):
        self.size, self.id, self.cycle = size, id(obj), False
        try:
            self.type = obj.__class__.__name__
        except (AttributeError, ReferenceError):
            self.type = type(obj).__name__
        self.str = safe_repr(obj, clip=128)


class _Edge:
    """A reference from the object with the id src to dst. Equal are those with the same ends and label."""

    __slots__ = ("src", "dst", "label", "group")

    def __init__(self, src: int, dst: int, label: Any):
        self.src, self.dst, self.label = src, dst, label
        self.group: Optional[int] = None

    def __repr__(self) -> str:
        return "<%08x => %08x, '%s', %s>" % (self.src, self.dst, self.label, self.group)

    def _key(self) -> Any:
        return self.src, self.dst, str(self.label)

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _Edge) and self._key() == other._key()


class ReferenceGraph:
    """The references between objects. reduce: only those that lead back to themselves, or between such.

    count: objects given; num_in_cycles; total_size, bytes of all and what they lead to; metadata: what is
    known of each; edges.

    >>> ReferenceGraph([a, b]).render("picture.eps")
    True
    """

    def __init__(self, objects: Iterable[Any], reduce: bool = False):
        self.objects = list(objects)
        self.count = len(self.objects)
        self.num_in_cycles: Any = "N/A"
        self.metadata: List[_MetaObject] = []
        self.edges: Any = set()
        self._reduced: Optional[ReferenceGraph] = None
        if reduce:
            self.num_in_cycles = self._reduce_to_cycles()
            self._reduced = self
        self._get_edges()
        self._annotate_objects()

    def _reduce_to_cycles(self) -> int:
        """Takes away objects that refer to no other of them, until there is none. Returns how many are left."""
        left = {id(obj): {id(ref) for ref in gc.get_referents(obj)} for obj in self.objects}
        leaves = True
        while leaves:
            leaves = [key for key, refs in left.items() if not any(ref in left for ref in refs)]
            for key in leaves:
                del left[key]
        self.objects = [obj for obj in self.objects if id(obj) in left]
        return len(self.objects)

    def reduce_to_cycles(self) -> Optional["ReferenceGraph"]:
        """A graph of the objects in cycles and between them; None if there is no cycle."""
        if self._reduced is None:
            reduced = copy.copy(self)
            reduced.objects, reduced.metadata, reduced.edges = self.objects[:], [], set()
            self.num_in_cycles = reduced.num_in_cycles = reduced._reduce_to_cycles()
            if not self.num_in_cycles:
                return None
            reduced._get_edges()
            reduced._annotate_objects()
            for meta in reduced.metadata:
                meta.cycle = True
            self._reduced = reduced
        return self._reduced

    def _get_edges(self) -> None:
        inside = {id(obj) for obj in self.objects}
        self.edges = set()
        for obj in self.objects:
            targets = inside.intersection(map(id, gc.get_referents(obj)))
            names: Dict[int, Any] = {}
            if targets:
                pairs = list(obj.items()) if isinstance(obj, dict) else named_refs(obj)
                for name, value in pairs:
                    names.setdefault(id(value), name)
            self.edges.update(_Edge(id(obj), target, names.get(target, "")) for target in targets)

    def _annotate_objects(self) -> None:
        sizer = Asizer()
        sizes = sizer.asizesof(*self.objects)
        self.total_size = sizer.total
        self.metadata = [_MetaObject(obj, size) for obj, size in zip(self.objects, sizes)]

    def _annotate_groups(self) -> int:
        """Gives every object and edge the number of the connected part that it is in. Returns how many parts."""
        neighbours: Dict[int, Set[int]] = {meta.id: set() for meta in self.metadata}
        for edge in self.edges:
            neighbours[edge.src].add(edge.dst)
            neighbours[edge.dst].add(edge.src)
        group_of: Dict[int, int] = {}
        groups = 0
        for meta in self.metadata:
            if meta.id not in group_of:
                todo = [meta.id]
                while todo:
                    at = todo.pop()
                    if at not in group_of:
                        group_of[at] = groups
                        todo += neighbours[at]
                groups += 1
            meta.group = group_of[meta.id]
        for edge in self.edges:
            edge.group = group_of[edge.src]
        return groups

    def _part(self, group: int) -> "ReferenceGraph":
        part = copy.copy(self)
        part.index = group
        part.metadata = [meta for meta in self.metadata if meta.group == group]
        members = {meta.id for meta in part.metadata}
        part.objects = [obj for obj in self.objects if id(obj) in members]
        part.edges = [edge for edge in self.edges if edge.group == group]
        part.count = len(part.metadata)
        part.total_size = sum(meta.size for meta in part.metadata)
        return part

    def split(self) -> Iterator["ReferenceGraph"]:
        """A graph for each part of this one that is connected; index: its number."""
        return (self._part(group) for group in range(self._annotate_groups()))

    def split_and_sort(self) -> List["ReferenceGraph"]:
        """The graphs of split(), that with most objects first."""
        graphs = sorted(self.split(), key=lambda graph: -len(graph.metadata))
        for index, graph in enumerate(graphs):
            graph.index = index
        return graphs

    def _get_graphviz_data(self) -> str:
        lines = ["// Process this file with graphviz\n", "digraph G {\n", "    node [shape=box];\n"]
        for meta in self.metadata:
            label = trunc(meta.str, 48).replace("\\", "\\\\").replace('"', "'")
            lines.append('    "X%s" [ label = "%s\\n%s" %s ];\n' % (
                hex(meta.id)[1:], label, meta.type, _COLORS.get(meta.type, "")))
        for edge in self.edges:
            label = str(edge.label).replace("\\", "\\\\").replace('"', "'")
            weight = ",weight=100" if edge.label == "__dict__" else ""
            lines.append('    X%s -> X%s [label="%s"%s];\n' % (hex(edge.src)[1:], hex(edge.dst)[1:], label, weight))
        return "".join(lines) + "}\n"

    def render(self, filename: str, cmd: str = "dot", format: str = "ps", unflatten: bool = False) -> bool:
        """Draws the graph into a file, by graphviz's cmd, in one of its formats. unflatten: less wide.

        False: there is nothing to draw, or the command failed. Raises OSError if there is no such command.
        """
        if not self.objects:
            return False
        data = self._get_graphviz_data().encode(errors="replace")
        if unflatten:
            data = subprocess.run(["unflatten", "-l7"], input=data, stdout=subprocess.PIPE).stdout
        return subprocess.run([cmd, "-T%s" % format, "-o", filename, *_STYLE], input=data).returncode == 0

    def write_graph(self, filename: str) -> None:
        """Writes what graphviz reads."""
        with open(filename, "w") as file:
            file.write(self._get_graphviz_data())
