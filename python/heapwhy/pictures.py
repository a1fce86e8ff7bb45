# SPDX-License-Identifier: Apache-2.0
"""Pictures of who holds an object, and of what it holds: dot, SVG, PNG, through graphviz's program dot.

    heapwhy.show_backrefs(session, filename="session.png")
    heapwhy.show_chain(heapwhy.chain(session))            # drawn in a notebook

Colours tell kinds of objects, and pale with the distance; edges bear names; what was left out is counted.
"""
import html
import os
import shutil
import subprocess
import sys
import types
from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Set, Tuple, Union

from heapwhy import _heapwhy, arguments, edges, walks

__all__ = ["Picture", "show_backrefs", "show_chain", "show_refs"]

DOT_SECONDS = 120
NAMES_MAX = 3  # of one edge
BOX_LEAST = 8  # objects that one alone refers to, at which the picture ends: they stand in a box
COLUMN_ROWS, COLUMNS_MOST = 20, 6  # of a box
# What kinds of objects look like: hue and saturation, of the nearest; deeper ones pale.
KINDS = [
    ("module", types.ModuleType, (0.36, 0.45)),
    ("class", type, (0.75, 0.25)),
    ("frame, generator", (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType),
     (0.05, 0.45)),
    ("function", (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.CodeType,
                  types.CellType), (0.14, 0.35)),
    ("container", (dict, list, tuple, set, frozenset), (0.58, 0.25)),
    ("value", (str, bytes, int, float, complex, type(None)), (0.0, 0.0)),
]
INSTANCE = ("instance", (0.0, 0.14))
HIGHLIGHT = (0.6, 0.6)


class Picture:
    """A graph in graphviz's language. In a notebook it is drawn.

    dot    the text
    nodes  how many objects it shows
    """

    def __init__(self, dot: str, nodes: int) -> None:
        self.dot = dot
        self.nodes = nodes

    def render(self, form: str) -> bytes:
        """The picture in a format of graphviz's: "svg", "png", "pdf", ... RuntimeError says why not."""
        return render(self.dot, form)

    def save(self, filename: Union[str, "os.PathLike[str]"]) -> str:
        """Writes a file in the format that its extension names, and returns its name. Where graphviz is
        missing the text is written, to that name with .dot, and a line on stderr says so.

        Errors: UsageError without an extension; RuntimeError, which says why graphviz can't; OSError.
        """
        filename = os.fspath(filename)
        form = os.path.splitext(filename)[1][1:].lower()
        if not form:
            raise _heapwhy.UsageError("%.80r has no extension to say the format: .dot, .svg, .png, .pdf" % filename)
        content = self.dot.encode()
        if form not in ("dot", "gv"):
            try:
                content = self.render(form)
            except FileNotFoundError as error:
                filename += ".dot"
                print("heapwhy: %s; wrote %s" % (error, filename), file=sys.stderr)
        with open(filename, "wb") as file:
            file.write(content)
        return filename

    def __repr__(self) -> str:
        return "<Picture of %s: .save('NAME.svg'), .dot>" % arguments.counted(self.nodes, "object")

    def _repr_svg_(self) -> Optional[str]:
        try:
            return self.render("svg").decode()
        except (OSError, RuntimeError):
            return None


def render(dot: str, form: str) -> bytes:
    program = shutil.which("dot")
    if not program:
        raise FileNotFoundError("a picture needs graphviz's program dot, which is not installed "
                                "(Debian: apt install graphviz)")
    try:
        done = subprocess.run([program, "-T" + form], input=dot.encode(), capture_output=True, timeout=DOT_SECONDS)
    except subprocess.TimeoutExpired:
        raise RuntimeError("dot took more than %d s; draw less: max_nodes, max_depth, too_many"
                           % DOT_SECONDS) from None
    if done.returncode:
        raise RuntimeError("dot can't make that: %s" % done.stderr.decode(errors="replace").strip())
    return done.stdout


def show_backrefs(objs: Any, *, max_depth: int = 3, too_many: int = 10, max_nodes: int = 200,
                  ignore: Iterable[int] = (), filter: Optional[Callable[[Any], Any]] = None,
                  highlight: Optional[Callable[[Any], Any]] = None,
                  extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
                  shortnames: bool = True, filename: Optional[str] = None) -> Picture:
    """A picture of what refers to objs, an object or a list or tuple of objects, and what refers to that.

    max_depth   steps from objs; modules end a path, and of a module's names only the module is shown
    too_many    of one object more referrers than that are counted only, by type
    max_nodes   of the whole picture
    ignore      ids of objects to leave out
    filter      a function: false leaves the object out
    highlight   a function: true paints it blue
    extra_info  a function: text to add to a node
    refcounts   show reference counts, without those of the picture's own
    shortnames  False: type names with their modules
    filename    write it there, too: .dot, .svg, .png, ... (Picture.save)

    What a repr() prints is shown, so those of the objects are called; one that fails is named. Eight or more objects to
    which only one refers, and at which the picture ends, stand in one box, as rows.

    Errors: TypeError, UsageError for what these can't be; those of Picture.save(); what the functions raise.
    """
    check(max_depth, too_many, max_nodes, filter, highlight, extra_info)
    objs = listed(objs)
    ignored = tuple(ignore) + (id(objs),)
    roots = {id(obj) for obj in objs}
    nodes = walks.walk(objs, holders_of, max_depth=max_depth, too_many=too_many,
                       max_nodes=max_nodes, ignore=ignored, accept=filter,
                       stop=lambda obj: _heapwhy.is_module(obj) and id(obj) not in roots)
    style = _Style(max_depth, highlight, extra_info, refcounts, shortnames)
    return finish(_Drawing(nodes, style, backward=True, asked=len(roots)), filename)


def show_refs(objs: Any, *, max_depth: int = 3, too_many: int = 10, max_nodes: int = 200,
              ignore: Iterable[int] = (), filter: Optional[Callable[[Any], Any]] = None,
              highlight: Optional[Callable[[Any], Any]] = None,
              extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
              shortnames: bool = True, filename: Optional[str] = None) -> Picture:
    """A picture of what objs refer to, and what that refers to. Parameters are those of show_backrefs()."""
    check(max_depth, too_many, max_nodes, filter, highlight, extra_info)
    objs = listed(objs)
    nodes = walks.walk(objs, walks.referents_of, max_depth=max_depth, too_many=too_many,
                       max_nodes=max_nodes, ignore=ignore, accept=filter)
    style = _Style(max_depth, highlight, extra_info, refcounts, shortnames)
    return finish(_Drawing(nodes, style, backward=False, asked=len({id(obj) for obj in objs})), filename)


def show_chain(*chains: Sequence[Any], highlight: Optional[Callable[[Any], Any]] = None,
               extra_info: Optional[Callable[[Any], Any]] = None, refcounts: bool = False,
               shortnames: bool = True, filename: Optional[str] = None) -> Picture:
    """A picture of chains as heapwhy.chain() finds them: sequences of objects of which each refers to the
    next. What they have in common is drawn once. TypeError for what is no chain."""
    for chain in chains:
        if not isinstance(chain, (edges.Chain, list, tuple)):
            raise TypeError("show_chain() draws chains, as heapwhy.chain(obj) finds them, or lists of objects of which "
                            "each refers to the next; not %s" % arguments.kind_of(chain))
    index: Dict[int, int] = {}
    nodes: List[walks.Node] = []
    longest = max(map(len, chains), default=1)
    for chain in chains:
        before = None
        for depth, obj in enumerate(reversed(list(chain))):
            number = index.setdefault(id(obj), len(nodes))
            if number == len(nodes):
                nodes.append(walks.Node(obj, depth))
            if before is not None and number not in before.next:
                before.next.append(number)
            before = nodes[number]
    style = _Style(max(longest - 1, 1), highlight, extra_info, refcounts, shortnames)
    return finish(_Drawing(nodes, style, backward=True), filename)


def holders_of(objects: List[Any], ignored: Set[int]) -> List[Sequence[Any]]:
    """Who refers to each. Of a module's names only the module: all of its functions refer to them."""
    modules = [namespace_owner(obj) for obj in objects]
    rest = [obj for obj, module in zip(objects, modules) if module is None]
    others = iter(walks.referrers_of(rest, ignored | {id(objects), id(modules)}))
    return [next(others) if module is None else [module] for module in modules]


def namespace_owner(obj: Any) -> Optional[types.ModuleType]:
    if type(obj) is not dict or type(obj.get("__name__")) is not str:
        return None
    module = sys.modules.get(obj["__name__"])
    return module if isinstance(module, types.ModuleType) and vars(module) is obj else None


def check(max_depth: Any, too_many: Any, max_nodes: Any, filter: Any, highlight: Any, extra_info: Any) -> None:
    """TypeError, UsageError for what no picture can be made from."""
    arguments.whole("max_depth", max_depth, 0)
    arguments.whole("too_many", too_many, 0)
    arguments.whole("max_nodes", max_nodes, 1)
    for name, value in (("filter", filter), ("highlight", highlight), ("extra_info", extra_info)):
        arguments.function_or_none(name, value)


def listed(objs: Any) -> Sequence[Any]:
    return objs if issubclass(type(objs), (list, tuple)) else [objs]


def finish(drawing: "_Drawing", filename: Optional[str]) -> Picture:
    picture = Picture(drawing.text(), len(drawing.nodes))
    if filename is not None:
        picture.save(filename)
    return picture


class _Style:
    """What a node looks like and says."""

    def __init__(self, max_depth, highlight, extra_info, refcounts, shortnames):
        self.max_depth = max_depth
        self.highlight = highlight
        self.extra_info = extra_info
        self.refcounts = refcounts
        self.shortnames = shortnames

    def kind(self, obj: Any) -> Tuple[str, Tuple[float, float]]:
        for name, family, colour in KINDS:
            if issubclass(type(obj), family):
                return name, colour
        return INSTANCE

    def colour(self, node: walks.Node) -> str:
        hue, saturation = self.kind(node.object)[1]
        if self.highlight is not None and self.highlight(node.object):
            return "%.3f %.3f 1" % HIGHLIGHT
        pale = 1 - 0.6 * node.depth / max(self.max_depth, 1)
        return "%.3f %.3f 1" % (hue, saturation * pale)

    def title(self, obj: Any) -> str:
        kind = type(obj)
        return kind.__name__ if self.shortnames or not isinstance(kind.__module__, str) \
            else "%s.%s" % (kind.__module__, kind.__name__)

    def lines(self, node: walks.Node) -> str:
        """In graphviz's HTML: the type in bold, then what the object says of itself."""
        title = self.title(node.object)
        if self.refcounts:
            title += " [%s]" % refcount(node)
        lines = ["<b>%s</b>" % escape(title)]
        lines += ['<font point-size="9">%s</font>' % escape(text) for text in self.details(node.object)]
        if has_finalizer(node.object):
            lines.append('<font point-size="9" color="#c00000"><b>__del__</b></font>')
        return "<br/>".join(lines)

    def details(self, obj: Any) -> List[str]:
        text = summary(obj)
        more = [] if self.extra_info is None else str(self.extra_info(obj)).split("\n")
        return ([text] if text else []) + more


def escape(text: str) -> str:
    """For graphviz's HTML: without what XML forbids."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return html.escape(printable.encode("utf-8", "replace").decode())


def has_finalizer(obj: Any) -> bool:
    """Whether its class has a __del__ in Python; nothing of the object's is called."""
    return any(isinstance(vars(base).get("__del__"), types.FunctionType) for base in type(obj).__mro__)


def summary(obj: Any) -> str:
    """One short line: names of what has a name, sizes of containers, else the beginning of the repr."""
    kind = type(obj)
    if issubclass(kind, (dict, list, tuple, set, frozenset)):
        count = len(obj)
        return "%d item%s" % (count, "" if count == 1 else "s")
    if issubclass(kind, types.FrameType):
        return "%s() %s:%d" % (obj.f_code.co_name, obj.f_code.co_filename.rpartition("/")[2], obj.f_lineno or 0)
    if issubclass(kind, types.MethodType):
        return "%s of %s" % (getattr(obj.__func__, "__name__", "?"), type(obj.__self__).__name__)
    if issubclass(kind, types.FunctionType):
        return "%s %s:%d" % (obj.__qualname__.replace("<locals>.", ""), obj.__code__.co_filename.rpartition("/")[2],
                             obj.__code__.co_firstlineno)
    if issubclass(kind, types.CellType):
        return ""
    if issubclass(kind, (type, types.ModuleType)):
        return str(getattr(obj, "__name__", "?"))
    if kind.__repr__ is object.__repr__:
        return "0x%x" % id(obj)
    return edges.short(obj)


def count_references(node: walks.Node) -> int:
    return sys.getrefcount(node.object)


# What the node and the counting itself hold; how many that are depends on the version.
OWN_REFERENCES = count_references(walks.Node(object(), 0))


def refcount(node: walks.Node) -> str:
    count = count_references(node)
    return "immortal" if count >= 1 << 30 else str(count - OWN_REFERENCES)


class _Drawing:
    """Writes nodes in graphviz's language. The dict of an object is drawn as a part of it."""

    def __init__(self, nodes: List[walks.Node], style: _Style, backward: bool, asked: int = 0):
        """asked: about how many objects, of which some may have found no place."""
        self.nodes = nodes
        self.unshown = max(asked - sum(node.depth == 0 for node in nodes), 0)
        self.style = style
        self.backward = backward
        self.names = {id(node): "n%d" % i for i, node in enumerate(nodes)}
        self.dicts: Dict[int, walks.Node] = {}  # by owner
        for node in nodes:
            for number in node.next:
                self.join(*self.ends(node, nodes[number]))
        self.boxes = self.find_boxes()

    def join(self, owner: walks.Node, part: walks.Node) -> None:
        is_dict = type(part.object) is dict and part.depth > 0 and part not in self.dicts.values()
        if is_dict and ("attribute", "__dict__") in _heapwhy.edges(owner.object, part.object):
            self.dicts[id(owner)] = part
            self.names[id(part)] = self.names[id(owner)] + ":dict"

    def find_boxes(self) -> Dict[int, List[int]]:
        """{id of a node: numbers of those behind it that stand in one box}. Each in a place of its own they would make
        a picture many pages high; they are those that nothing else refers to, and at which the picture ends."""
        met = Counter(number for node in self.nodes for number in node.next)
        apart = set(self.dicts) | {id(part) for part in self.dicts.values()}
        boxes = {}
        for node in self.nodes:
            ends = [number for number in node.next if met[number] == 1 and not self.nodes[number].next
                    and self.nodes[number].depth and id(self.nodes[number]) not in apart]
            if len(ends) >= BOX_LEAST:
                boxes[id(node)] = ends
        return boxes

    def box_name(self, node: walks.Node) -> str:
        return "box_" + self.names[id(node)].replace(":", "_")

    def box_lines(self, node: walks.Node) -> List[str]:
        """The box behind a node: rows of the edge's names and the object, in columns, and the edge to it."""
        numbers = self.boxes.get(id(node))
        if not numbers:
            return []
        cells = [self.box_cells(node, self.nodes[number]) for number in numbers]
        height = max(min(len(cells), COLUMN_ROWS), -(-len(cells) // COLUMNS_MOST))
        rows = "".join("<tr>%s</tr>" % "".join(cells[row::height]) for row in range(height))
        table = '<table border="0" cellborder="0" cellspacing="1" cellpadding="1">%s</table>' % rows
        return ["  %s [label=<%s>];" % (self.box_name(node), table),
                "  %s -> %s;" % self.ends(self.names[id(node)], self.box_name(node))]

    def box_cells(self, node: walks.Node, end: walks.Node) -> str:
        names = " ".join(self.edge_names(*self.ends(node, end)))
        said = self.style.lines(end).replace("<br/>", " ") + self.left_out_line(end).replace("<br/>", " ")
        return ('<td align="right"><font point-size="9" color="#1f3f7a">%s</font></td>'
                '<td align="left" bgcolor="%s"><font point-size="9">%s</font></td>'
                % (escape(names), self.style.colour(end), said))

    def text(self) -> str:
        lines = ["digraph heapwhy {",
                 '  graph [rankdir=LR, bgcolor=white, nodesep=0.15, ranksep=0.5, fontname="DejaVu Sans", fontsize=10];',
                 '  node [shape=box, style="filled,rounded", fillcolor=white, color="#7a7a7a", '
                 'fontname="DejaVu Sans", fontsize=11, height=0.3, margin="0.11,0.055"];',
                 '  edge [color="#5a5a5a", arrowsize=0.7, fontname="DejaVu Sans", fontsize=9, fontcolor="#1f3f7a"];']
        apart = {id(part) for part in self.dicts.values()}
        apart |= {id(self.nodes[number]) for numbers in self.boxes.values() for number in numbers}
        lines += [self.node_line(node) for node in self.nodes if id(node) not in apart]
        for node in self.nodes:
            lines += self.box_lines(node)
            lines += self.edge_lines(node)
            lines += self.truncation(node)
        if self.unshown:
            lines.append('  unshown [label="%s more objects that were asked about", style="dashed,rounded", '
                         'color="#c00000", fontcolor="#c00000", fontsize=9];' % format(self.unshown, ","))
        return "\n".join(lines + ["}", ""])

    def node_line(self, node: walks.Node) -> str:
        label = self.style.lines(node) + self.left_out_line(node)
        part = self.dicts.get(id(node))
        if part is not None:
            label = ('<table border="0" cellborder="0" cellspacing="0" cellpadding="2"><tr><td>%s</td></tr><hr/>'
                     '<tr><td port="dict"><font point-size="9">__dict__, %s</font>%s</td></tr></table>'
                     % (label, escape(summary(part.object)), self.left_out_line(part)))
        attributes = ["label=<%s>" % label, 'fillcolor="%s"' % self.style.colour(node)]
        if node.depth == 0:
            attributes += ['color="#c00000"', "penwidth=2"]
        elif has_finalizer(node.object):
            attributes += ['color="#c00000"', "peripheries=2"]
        return "  %s [%s];" % (self.names[id(node)], ", ".join(attributes))

    def ends(self, node: Any, other: Any) -> Tuple[Any, Any]:
        """Of an edge: source and target."""
        return (other, node) if self.backward else (node, other)

    def edge_names(self, source: walks.Node, target: walks.Node) -> List[str]:
        names = [spelled_in(source.object, kind, name) for kind, name in _heapwhy.edges(source.object, target.object)]
        more = len(names) - NAMES_MAX
        return names[:NAMES_MAX] + (["+%d" % more] if more > 0 else [])

    def edge_lines(self, node: walks.Node) -> Iterable[str]:
        boxed = set(self.boxes.get(id(node), ()))
        for number in node.next:
            source, target = self.ends(node, self.nodes[number])
            if self.dicts.get(id(source)) is target or number in boxed:
                continue
            names = self.edge_names(source, target)
            label = " [label=%s]" % quoted("\n".join(names)) if names else ""
            yield "  %s -> %s%s;" % (self.names[id(source)], self.names[id(target)], label)

    def left_out(self, node: walks.Node) -> str:
        """What was left out behind a node, with the most frequent types of it."""
        common = ["%s %s" % (format(count, ","), kind) for kind, count in node.skipped_types.most_common(2)]
        kinds = ", ".join(common) + (", \u2026" if len(node.skipped_types) > 2 else "")
        return "%s more: %s" % (format(node.skipped, ","), kinds)

    def left_out_line(self, node: walks.Node) -> str:
        """Where nothing goes on from a node the node itself says it."""
        if not node.skipped or node.next:
            return ""
        return '<br/><font point-size="9" color="#c00000">%s</font>' % escape(self.left_out(node))

    def truncation(self, node: walks.Node) -> List[str]:
        """Beside what goes on from a node, a mark for what was left out."""
        if not node.skipped or not node.next:
            return []
        name = self.names[id(node)]
        mark = "more_" + name.replace(":", "_")
        ends = (mark, name) if self.backward else (name, mark)
        return ['  %s [label=%s, style="dashed,rounded", color="#c00000", fontcolor="#c00000", fontsize=9];'
                % (mark, quoted(self.left_out(node))),
                '  %s -> %s [style=dashed, color="#c00000"];' % ends]


def spelled_in(source: Any, kind: str, name: Any) -> str:
    """As edges.spell(), but keys of a namespace are its names."""
    if kind == "key" and type(name) is str and name.isidentifier():
        return name
    return edges.spell(kind, name)


def quoted(text: str) -> str:
    printable = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in text)
    clean = printable.encode("utf-8", "replace").decode()
    return '"%s"' % clean.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
