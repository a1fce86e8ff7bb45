# SPDX-License-Identifier: Apache-2.0
"""Who refers to whom, by what name: direct questions about live objects of this process.

Nothing is collected, no dict or frame object comes into being, and what asks does not appear in the
answers. What only a running function's variables hold, they do not show: from Python 3.11 on these are in
no object.
"""
from typing import Any, Callable, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from heapwhy import _heapwhy, arguments
from heapwhy.naming import name_of_type

__all__ = ["Chain", "Reference", "chain", "referents", "referrers"]


class Reference(NamedTuple):
    """One reference to or from an object.

    object   at the other end: a live object, held by this record
    kind     'attribute', 'key', 'as key', 'index', 'element' or 'local'; '' when it has no name
    name     of the attribute or variable, the key, or the index; None when it has no name
    """
    object: Any
    kind: str
    name: Any

    @property
    def spelled(self) -> str:
        """As an expression goes on: ".parent", "['key']", "[3]"; in words where Python has none."""
        return spell(self.kind, self.name)

    def __repr__(self) -> str:
        return "<Reference %s %s>" % (describe(self.object), self.spelled or "(unnamed)")


def spell(kind: str, name: Any) -> str:
    if kind == "attribute":
        return "." + name
    if kind == "key" or kind == "index":
        return "[%s]" % short(name)
    if kind == "local":
        return "<local %s>" % name
    if kind == "element":
        return "<element>"
    if kind == "as key":
        return "<key>"
    return ""


def short(value: Any, limit: int = 40) -> str:
    """The beginning of repr(value), on one line, whatever that does."""
    try:
        text = repr(value)
    except Exception:
        text = "<%s, its repr fails>" % type(value).__name__
    text = text.replace("\n", "\\n")
    return text if len(text) <= limit else text[:limit - 1] + "\u2026"


def describe(value: Any) -> str:
    return "%s 0x%x" % (name_of_type(value), id(value))


def named(source: Any, target: Any) -> List[Tuple[str, Any]]:
    """[(kind, name), ...] of the references from source to target; one without a name when none is known."""
    return _heapwhy.edges(source, target) or [("", None)]


def referrers(obj: Any, ignore: Iterable[int] = ()) -> List[Reference]:
    """What refers to obj: a list of Reference, one for each name.

    A dict that has obj under two keys gives two. The order is that of gc.get_referrers(), then frozen
    objects (gc.freeze()); for what the collector does not track, a str say, untracked tuples and dicts
    and code objects follow. ignore has ids of objects to leave out. One pass over the heap, some tens of
    milliseconds for a million objects.

        >>> cache = {"user": session}
        >>> heapwhy.referrers(session)
        [<Reference dict 0x7f54962dac0 ['user']>]
    """
    (found,) = _heapwhy.referrers([obj], tuple(ignore))
    references = []
    for source in found:  # a comprehension would make a cell, which refers to obj
        for kind, name in named(source, obj):
            references.append(Reference(source, kind, name))
    return references


def referents(obj: Any) -> List[Reference]:
    """What obj refers to: a list of Reference, one for each name; also the parts of code objects.

        >>> heapwhy.referents({"user": 1})
        [<Reference str 0x7f5496e1a2f0 <key>>, <Reference int 0x955e48 ['user']>]
    """
    names = {}
    for target, kind, name in _heapwhy.edges_from(obj):
        names.setdefault(id(target), []).append((kind, name))
    return [Reference(target, kind, name) for target in _heapwhy.referents(obj)
            for kind, name in names.get(id(target), [("", None)])]


class Chain(Sequence[Any]):
    """Objects of which each refers to the next: a sequence of live objects. Empty when there is none.

    links    of each object but the last the Reference to the next, all names: [[Reference, ...], ...]
    spelled  the chain as one Python expression, as far as there is one
    """

    def __init__(self, objects: Sequence[Any]) -> None:
        self.objects = list(objects)

    def __len__(self) -> int:
        return len(self.objects)

    def __getitem__(self, index: Any) -> Any:
        return self.objects[index]

    @property
    def links(self) -> List[List[Reference]]:
        """Of each object but the last the references to the next."""
        return [[Reference(target, kind, name) for kind, name in named(source, target)]
                for source, target in zip(self.objects, self.objects[1:])]

    @property
    def spelled(self) -> str:
        """The chain as one Python expression, as far as there is one."""
        if not self.objects:
            return ""
        text = "sys.modules[%r]" % self.objects[0].__name__ if _heapwhy.is_module(self.objects[0]) \
            else "<%s>" % describe(self.objects[0])
        is_dict = False
        for links in self.links:
            step = links[0]
            if is_dict and step.kind == "key" and isinstance(step.name, str) and step.name.isidentifier():
                text += "." + step.name
            else:
                text += (".__dict__" if is_dict else "")
                text += "" if step.name == "__dict__" else step.spelled or "<?>"
            is_dict = step.kind == "attribute" and step.name == "__dict__"
        return text + (".__dict__" if is_dict else "")

    def __repr__(self) -> str:
        return "<Chain %s>" % self.spelled if self.objects else "<Chain: none found>"

    def _repr_svg_(self) -> Optional[str]:
        from heapwhy import pictures
        return pictures.show_chain(self)._repr_svg_() if self.objects else None


def chain(obj: Any, predicate: Optional[Callable[[Any], Any]] = None, *, max_depth: int = 20,
          ignore: Iterable[int] = (), backward: bool = True) -> Chain:
    """The shortest chain of references to obj, from the nearest object for which predicate(object) is
    true; with backward=False that from obj to such an object.

    predicate  None: modules of sys.modules, where most of what lives long is held
    max_depth  so many references at most
    ignore     ids of objects that the chain may not go through

    One pass over the heap for each step. The predicate is called between passes; what it raises ends the
    search. Chain is empty when none is found: then what holds obj is a running function, C code, or only
    a reference cycle.

        >>> heapwhy.chain(session)
        <Chain sys.modules['app'].hub.sessions[17]>
    """
    arguments.function_or_none("predicate", predicate)
    max_depth = min(arguments.whole("max_depth", max_depth, 0), 1 << 30)
    found = _heapwhy.find_chain(obj, predicate, max_depth, tuple(ignore), backward) or []
    return Chain(found[::-1] if backward else found)
