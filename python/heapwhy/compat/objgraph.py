# SPDX-License-Identifier: Apache-2.0
"""objgraph's functions, answered by heapwhy: import heapwhy.compat.objgraph as objgraph

Names, parameters, results and printed text are those of objgraph 3.7.0, and so is the order of results.
docs/compat-objgraph.md lists what differs, and why. What asks about one object or one chain runs no
collection: growth(), show_growth() and get_new_ids() do, as objgraph does, unless told collect=False.
"""
import array
import collections
import gc
import inspect
import operator
import os
import re
import subprocess
import sys
import tempfile
import types

from heapwhy import _heapwhy, walks

__version__ = "3.7.0"  # whose behaviour this is

IS_INTERACTIVE = False
try:
    import graphviz
    IS_INTERACTIVE = "TerminalInteractiveShell" not in get_ipython().__class__.__name__  # noqa: F821
except (NameError, ImportError):
    pass


# Statistics

def count(typename, objects=None):
    """How many tracked objects, or how many of `objects`, have a type of that name: short, or with its
    module ('package.module.Class'). A class instead of a name: how many are its direct instances."""
    has_name = _type_test(typename)
    return sum(number for kind, number in _counts(objects) if has_name(kind))


def typestats(objects=None, shortnames=True, filter=None):
    """{type name: how many} of all tracked objects, or of `objects`, for which filter(object) is true."""
    name_of = _type_naming(shortnames)
    if filter:
        objects = [obj for obj in (gc.get_objects() if objects is None else objects) if filter(obj)]
    stats = {}
    for kind, number in _counts(objects):
        name = name_of(kind)
        stats[name] = stats.get(name, 0) + number
    return stats


def most_common_types(limit=10, objects=None, shortnames=True, filter=None):
    """[(type name, how many), ...], most frequent first; limit=None: all."""
    stats = sorted(typestats(objects, shortnames=shortnames, filter=filter).items(),
                   key=operator.itemgetter(1), reverse=True)
    return stats[:limit] if limit else stats


def show_most_common_types(limit=10, objects=None, shortnames=True, file=None, filter=None):
    """Prints most_common_types()."""
    stats = most_common_types(limit, objects, shortnames=shortnames, filter=filter)
    width = max((len(name) for name, _ in stats), default=0)
    for name, number in stats:
        print("%-*s %i" % (width, name, number), file=file)


_peak_stats = {}


def growth(limit=10, peak_stats=None, shortnames=True, filter=None, collect=True):
    """[(type name, how many, how many more), ...] of types with more objects than ever before, as noted in
    peak_stats (None: the module's own note), which is updated. Largest increase first.

    collect=False leaves out the collection that objgraph begins with: then growth in reference cycles
    shows, and so does garbage that waits.
    """
    if peak_stats is None:
        peak_stats = _peak_stats
    if collect:
        gc.collect()
    stats = typestats(shortnames=shortnames, filter=filter)
    deltas = {}
    for name, number in stats.items():
        before = peak_stats.get(name, 0)
        if number > before:
            deltas[name] = number - before
            peak_stats[name] = number
    rows = sorted(deltas.items(), key=operator.itemgetter(1), reverse=True)
    return [(name, stats[name], delta) for name, delta in (rows[:limit] if limit else rows)]


def show_growth(limit=10, peak_stats=None, shortnames=True, file=None, filter=None, collect=True):
    """Prints growth()."""
    result = growth(limit, peak_stats, shortnames, filter, collect)
    width = max((len(name) for name, _, _ in result), default=0)
    for name, number, delta in result:
        print("%-*s%9d %+9d" % (width, name, number, delta), file=file)


_ids_state = {}


def get_new_ids(skip_update=False, limit=10, sortby="deltas", shortnames=None, file=None, _state=_ids_state,
                collect=True):
    """{type name: ids of objects that are new since the last call}; prints a table of `limit` rows (0: none).

    skip_update  return the last answer again
    sortby       column, descending: 'old', 'current', 'new' or 'deltas'
    shortnames   None: as in the last call; at first True

    Between calls 8 bytes are kept for each tracked object, and the sets that were returned: in the first call
    everything is new.
    """
    if not _state:
        _state.update(old={}, current={}, new=collections.defaultdict(set), shortnames=True)
    if skip_update:
        return _state["new"]
    if shortnames is not None:
        _state["shortnames"] = shortnames
    if collect:
        gc.collect()
    old, current = _state["current"], _addresses_by_name(_state["shortnames"])
    new = _state["new"]
    new.clear()
    rows = []
    for name in list(dict.fromkeys([*current, *old])):
        now, before = current.get(name, b""), old.get(name, b"")
        new[name] = _heapwhy.addresses_minus(now, before)
        rows.append((name, len(before) // 8, len(now) // 8, len(new[name]), (len(now) - len(before)) // 8))
    _state.update(old=old, current=current)
    column = {"old": 1, "current": 2, "new": 3, "deltas": 4}[sortby]
    rows.sort(key=operator.itemgetter(column, 0), reverse=True)
    _print_new_ids(rows if limit is None else rows[:limit], file)
    return new


def _addresses_by_name(shortnames):
    """{type name: sorted addresses of the objects, 8 bytes each}"""
    name_of = _type_naming(shortnames)
    parts = {}
    for kind, words in _heapwhy.addresses():
        parts.setdefault(name_of(kind), []).append(words)
    return {name: words[0] if len(words) == 1 else _merged(words) for name, words in parts.items()}


def _merged(parts):
    return array.array("Q", sorted(array.array("Q", b"".join(parts)))).tobytes()


def _print_new_ids(rows, file):
    if not rows:
        return
    width = max(len(row[0]) for row in rows)
    rule = "=" * (width + 13 * 4)
    head = ("Type", "Old_ids", "Current_ids", "New_ids", "Count_Deltas")
    print(rule, "%-*s%13s%13s%13s%13s" % (width, *head), rule, sep="\n", file=file)
    for row in rows:
        print("%-*s%13d%13d%+13d%+13d" % (width, *row), file=file)
    print(rule, file=file)


# Locating and filtering objects

def get_leaking_objects(objects=None):
    """The tracked objects, or those of `objects`, that no object refers to: leaked by C code, or held by
    C code or by variables of running functions."""
    if objects is not None and type(objects) is not list:
        objects = list(objects)
    return _heapwhy.unreferred(objects)


def by_type(typename, objects=None):
    """The tracked objects, or those of `objects`, whose type has that name, short or with its module, or
    is that class."""
    has_name = _type_test(typename)
    if objects is not None:
        return [obj for obj in objects if has_name(type(obj))]
    return _heapwhy.instances([kind for kind, _ in _heapwhy.type_counts(None) if has_name(kind)])


def at(addr):
    """The tracked object whose id() is addr, or None."""
    found = _heapwhy.tracked_at([addr])
    return found[0] if found else None


def at_addrs(address_set):
    """The tracked objects whose id() is in the set."""
    return _heapwhy.tracked_at(address_set)


def is_proper_module(obj):
    """Whether obj is a module that sys.modules has under its own name: where a search may end."""
    return _heapwhy.is_module(obj)


# Chains

def find_ref_chain(obj, predicate, max_depth=20, extra_ignore=()):
    """The shortest chain of references [obj, ..., one for which predicate(object) is true]; [obj]: none."""
    return _find_chain(obj, predicate, gc.get_referents, max_depth=max_depth, extra_ignore=extra_ignore)[::-1]


def find_backref_chain(obj, predicate, max_depth=20, extra_ignore=()):
    """The shortest chain of references [one for which predicate(object) is true, ..., obj]; [obj]: none."""
    return _find_chain(obj, predicate, gc.get_referrers, max_depth=max_depth, extra_ignore=extra_ignore)


def _find_chain(obj, predicate, edge_func, max_depth=20, extra_ignore=()):
    """From what was found to obj."""
    if edge_func not in (gc.get_referrers, gc.get_referents):
        return _find_chain_by(obj, predicate, edge_func, max_depth, extra_ignore)
    is_root = predicate is is_proper_module
    found = _heapwhy.find_chain(obj, None if is_root else predicate, max_depth, extra_ignore,
                                edge_func is gc.get_referrers)
    return [obj] if found is None else found[::-1]


def _find_chain_by(obj, predicate, edge_func, max_depth, extra_ignore):
    """The same over edges that a function of the user's gives."""
    ignore = set(extra_ignore)
    chains, seen = [(obj, None)], {id(obj)}
    for depth in range(max_depth + 1):
        for link in chains:
            if predicate(link[0]):
                found = []
                while link:
                    found.append(link[0])
                    link = link[1]
                return found
        further = []
        for link in chains if depth < max_depth else ():
            for other in edge_func(link[0]):
                if id(other) not in ignore and id(other) not in seen:
                    seen.add(id(other))
                    further.append((other, link))
        chains = further
    return [obj]


# Pictures

def show_backrefs(objs, max_depth=3, extra_ignore=(), filter=None, too_many=10, highlight=None, filename=None,
                  extra_info=None, refcounts=False, shortnames=True, output=None, extra_node_attrs=None):
    """Draws what refers to objs (an object, or a list or tuple of objects), up to modules.

    filename  .dot, or a format that graphviz's dot writes; None: shown by IPython, else by xdot, else .png
    output    a file object to write the dot text to, instead

    extra_ignore has ids, filter, highlight, extra_info (text) and extra_node_attrs (a dict) are functions of
    an object. heapwhy.show_backrefs() makes better pictures.
    """
    return _show_graph(objs, max_depth=max_depth, extra_ignore=extra_ignore, filter=filter, too_many=too_many,
                       highlight=highlight, edge_func=gc.get_referrers, swap_source_target=False,
                       filename=filename, output=output, extra_info=extra_info, refcounts=refcounts,
                       shortnames=shortnames, cull_func=is_proper_module, extra_node_attrs=extra_node_attrs)


def show_refs(objs, max_depth=3, extra_ignore=(), filter=None, too_many=10, highlight=None, filename=None,
              extra_info=None, refcounts=False, shortnames=True, output=None, extra_node_attrs=None):
    """Draws what objs refer to. Parameters are those of show_backrefs()."""
    return _show_graph(objs, max_depth=max_depth, extra_ignore=extra_ignore, filter=filter, too_many=too_many,
                       highlight=highlight, edge_func=gc.get_referents, swap_source_target=True,
                       filename=filename, output=output, extra_info=extra_info, refcounts=refcounts,
                       shortnames=shortnames, extra_node_attrs=extra_node_attrs)


def show_chain(*chains, **kw):
    """Draws chains, as find_backref_chain() or, with backrefs=False, find_ref_chain() returns them. Further
    parameters are those of show_backrefs()."""
    backrefs = kw.pop("backrefs", True)
    chains = [chain for chain in chains if chain]
    ids = {id(obj) for chain in chains for obj in chain}
    ignore = tuple(kw.pop("extra_ignore", ())) + tuple(map(id, chains)) + (id(chains),)
    show = show_backrefs if backrefs else show_refs
    ends = [chain[-1 if backrefs else 0] for chain in chains]
    return show(ends, max_depth=max(map(len, chains)) - 1, filter=lambda obj: id(obj) in ids,
                extra_ignore=ignore, **kw)


def _show_graph(objs, edge_func, swap_source_target, max_depth=3, extra_ignore=(), filter=None, too_many=10,
                highlight=None, filename=None, extra_info=None, refcounts=False, shortnames=True, output=None,
                cull_func=None, extra_node_attrs=None):
    if filename and output:
        raise ValueError("Cannot specify both output and filename.")
    if not _is(objs, (list, tuple)):
        objs = [objs]
    ignore = {*extra_ignore, id(extra_ignore), id(objs)}
    neighbours = walks.referrers_of if edge_func is gc.get_referrers else \
        lambda objects, ignored: [edge_func(obj) for obj in objects]
    nodes = walks.walk(objs, neighbours, max_depth=max_depth, too_many=too_many, ignore=ignore, accept=filter,
                       stop=cull_func)
    drawing = _Drawing(swap_source_target, max_depth, highlight, extra_info, refcounts, shortnames,
                       extra_node_attrs)
    return _deliver(drawing.text(nodes), len(nodes), filename, output)


def _deliver(text, node_count, filename, output):
    if output:
        output.write(text)
        return None
    if IS_INTERACTIVE and not filename:
        return graphviz.Source(text)
    if filename and filename.endswith(".dot"):
        file, dot_filename = open(filename, "w", encoding="utf-8", errors="replace"), filename
    else:
        handle, dot_filename = tempfile.mkstemp(prefix="objgraph-", suffix=".dot", text=True)
        file = open(handle, "w", encoding="utf-8", errors="replace")
    with file:
        file.write(text)
    print("Graph written to %s (%d nodes)" % (dot_filename, node_count))
    return _present_graph(dot_filename, filename)


def _present_graph(dot_filename, filename=None):
    """Makes the picture that was asked for, as far as the programs for it are there."""
    if filename == dot_filename:
        return
    if not filename and _program_in_path("xdot"):
        print("Spawning graph viewer (xdot)")
        subprocess.Popen(["xdot", dot_filename], close_fds=True)
        return
    if not _program_in_path("dot"):
        missing = "Image renderer (dot)" if filename else "Graph viewer (xdot) and image renderer (dot)"
        print("%s not found, not doing anything else" % missing)
        return
    if not filename:
        print("Graph viewer (xdot) not found, generating a png instead")
        filename = dot_filename[:-len(".dot")] + ".png"
    command = ["dot", "-T" + os.path.splitext(filename)[1][1:], "-o" + filename, dot_filename]
    dot = subprocess.Popen(command, close_fds=False)
    dot.wait()
    if dot.returncode:
        print('dot failed (exit code %d) while executing "%s"' % (dot.returncode, " ".join(command)))
    else:
        print("Image generated as %s" % filename)


def _program_in_path(program):
    return any(os.path.isfile(os.path.join(folder, program))
               for folder in os.environ.get("PATH", os.defpath).split(os.pathsep))


class _Drawing:
    """objgraph's way to write a graph in graphviz's language."""

    def __init__(self, swap_source_target, max_depth, highlight, extra_info, refcounts, shortnames,
                 extra_node_attrs):
        self.forward = swap_source_target
        self.max_depth = max_depth
        self.highlight = highlight
        self.extra_info = extra_info
        self.refcounts = refcounts
        self.shortnames = shortnames
        self.extra_node_attrs = extra_node_attrs

    def text(self, nodes):
        lines = ["digraph ObjectGraph {", "  node[shape=box, style=filled, fillcolor=white];"]
        lines += ["  %s[fontcolor=red];" % _obj_node_id(node.object) for node in nodes if node.depth == 0]
        for node in nodes:
            lines += self.node_lines(node)
            lines += self.edge_lines(node, nodes)
            lines += self.truncation(node)
        return "\n".join(lines + ["}", ""])

    def node_lines(self, node):
        obj, name = node.object, _obj_node_id(node.object)
        label = _obj_label(obj, self.extra_info, self.refcounts, self.shortnames)
        hue, saturation, value = _gradient((0, 0, 1), (0, 0, .3), node.depth, self.max_depth)
        if inspect.ismodule(obj):
            hue, saturation = .3, 1
        if self.highlight and self.highlight(obj):
            hue, saturation, value = .6, .6, .5 + value * .5
        yield '  %s[label="%s"%s];' % (name, label, _obj_attrs(obj, self.extra_node_attrs))
        yield '  %s[fillcolor="%g,%g,%g"];' % (name, hue, saturation, value)
        if value < .5:
            yield "  %s[fontcolor=white];" % name
        if hasattr(getattr(obj, "__class__", None), "__del__"):
            yield "  %s->%s_has_a_del[color=red,style=dotted,len=0.25,weight=10];" % (name, name)
            yield ('  %s_has_a_del[label="__del__",shape=doublecircle,height=0.25,color=red,'
                   'fillcolor="0,.5,1",fontsize=6];' % name)

    def edge_lines(self, node, nodes):
        for number in node.next:
            other = nodes[number]
            source, target = (node, other) if self.forward else (other, node)
            yield "  %s -> %s%s;" % (_obj_node_id(source.object), _obj_node_id(target.object),
                                     _edge_label(source.object, target.object, self.shortnames))

    def truncation(self, node):
        if not node.skipped:
            return
        name = _obj_node_id(node.object)
        colour = _gradient((0, 1, 1), (0, 1, .3), node.depth + 1, self.max_depth)
        label = "%d more %s" % (node.skipped, "references" if self.forward else "backreferences")
        yield "  %s[color=red,style=dotted,len=0.25,weight=10];" % (
            "%s->too_many_%s" % (name, name) if self.forward else "too_many_%s->%s" % (name, name))
        yield ('  too_many_%s[label="%s",shape=box,height=0.25,color=red,fillcolor="%g,%g,%g",fontsize=6];'
               % (name, label, *colour))
        yield "  too_many_%s[fontcolor=white];" % name


def _obj_node_id(obj):
    return "o%d" % id(obj)


def _obj_attrs(obj, extra_node_attrs):
    attrs = {} if extra_node_attrs is None else extra_node_attrs(obj)
    return "".join(', %s="%s"' % (name, _quote(value)) for name, value in sorted(attrs.items())
                   if value is not None)


def _obj_label(obj, extra_info=None, refcounts=False, shortnames=True):
    label = [_short_typename(obj) if shortnames else _long_typename(obj)]
    if refcounts:
        label[0] += " [%d]" % (sys.getrefcount(obj) - _OWN_REFERENCES)
    label.append(_safe_repr(obj))
    if extra_info:
        label.append(str(extra_info(obj)))
    return _quote("\n".join(label))


def _own_references():
    """How many references _obj_label() counts that only the drawing has: what it says of an object that
    nothing else refers to, which depends on the version."""
    global _OWN_REFERENCES
    _OWN_REFERENCES = 0
    lines = _Drawing(False, 1, None, None, True, True, None).node_lines(walks.Node(object(), 0))
    _OWN_REFERENCES = int(re.search(r"\[(\d+)\]", next(lines)).group(1))


def _quote(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\0", "\\\\0")


def _gradient(start, end, depth, max_depth):
    part = depth / max_depth if max_depth else 0
    return tuple(a * (1 - part) + b * part for a, b in zip(start, end))


_is_identifier = re.compile("[a-zA-Z_][a-zA-Z_0-9]*$").match


def _edge_label(source, target, shortnames=True):
    names = _heapwhy.edges(source, target)
    if not names and _is(source, types.FrameType) and target is source.f_globals:
        names = [("attribute", "f_globals")]
    texts = []
    weight = None
    for kind, name in names:
        if kind == "attribute" or kind == "local":
            texts.append(name)
            weight = weight or 10
        elif kind == "key" and _is(name, str) and _is_identifier(name):
            texts.append(name)
            weight = weight or 2
        elif kind == "key":
            texts.append((_short_typename if shortnames else _long_typename)(name) + "\n" + _safe_repr(name))
    if not texts:
        return ""
    return ' [label="%s"%s]' % (_quote("\n".join(texts)), ",weight=%d" % weight if weight else "")


# Names and texts

def _is(obj, classes):
    """As isinstance(), but by the type alone: a mock says that its __class__ is another."""
    return issubclass(type(obj), classes)


def _counts(objects):
    if objects is not None and type(objects) is not list:
        objects = list(objects)
    return _heapwhy.type_counts(objects)


def _type_naming(shortnames):
    return _short_name if shortnames else _long_name


def _type_test(typename):
    """Whether a type is the one that a user named."""
    if _is(typename, type):
        return lambda kind: kind is typename
    name_of = _type_naming("." not in typename)
    return lambda kind: name_of(kind) == typename


def _short_name(kind):
    return kind.__name__


def _long_name(kind):
    module = getattr(kind, "__module__", None)
    return "%s.%s" % (module, kind.__name__) if module else kind.__name__


def _short_typename(obj):
    return _short_name(type(obj))


def _long_typename(obj):
    return _long_name(type(obj))


def _safe_repr(obj):
    try:
        return _short_repr(obj)
    except Exception:
        return "(unrepresentable)"


def _name_or_repr(value):
    name = getattr(value, "__name__", None)
    return name if _is(name, str) else repr(value)[:40]


def _short_repr(obj):
    if _is(obj, (type, types.ModuleType, types.BuiltinFunctionType)):
        return _name_or_repr(obj)
    if _is(obj, types.MethodType):
        return _name_or_repr(obj.__func__) + (" (bound)" if obj.__self__ else "")
    if _is(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        return "lambda: %s:%s" % (os.path.basename(obj.__code__.co_filename), obj.__code__.co_firstlineno)
    if _is(obj, types.FrameType):
        return "%s:%s" % (obj.f_code.co_filename, obj.f_lineno)
    if _is(obj, (tuple, list, dict, set)):
        return "%d items" % len(obj)
    return repr(obj)[:40]


_own_references()
