# SPDX-License-Identifier: Apache-2.0
"""Who holds an object, as a Python expression: holder_path(obj).

A search backwards with gc.get_referrers(), level by level, until a module or the end is reached. For failures and
reports of the checks for leaks, which name one holder of a few objects.

Who looks for holders takes heapwhy.chain(obj): the same in C, and in words that can be evaluated; or
Snapshot.holders(obj): several chains, the most telling first, with what frames and C code hold. Why not here: this
leaves out what the running check itself holds (hidden), and knows values of threads and of contexts.
"""
import contextvars
import functools
import gc
import sys
import threading
import types
import weakref

from heapwhy.naming import name_of_type

DEPTH, WIDTH, VISITED = 40, 200, 20000
_GENERATORS = ((types.GeneratorType, "gi_frame"), (types.CoroutineType, "cr_frame"), (types.AsyncGeneratorType, "ag_frame"))
_ATTRIBUTES = {
    types.FunctionType: ("__dict__", "__defaults__", "__kwdefaults__", "__closure__", "__annotations__"),
    types.MethodType: ("__self__", "__func__"),
    types.BuiltinFunctionType: ("__self__",),
    types.CellType: ("cell_contents",),
    types.TracebackType: ("tb_frame", "tb_next"),
    functools.partial: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    weakref.ReferenceType: ("__callback__",),
}


def spell_key(key):
    """['name'], [3]; what has no short spelling by its type."""
    if isinstance(key, (str, bytes, int, float, bool, type(None))):
        text = repr(key)
        return "[%s]" % (text if len(text) <= 60 else text[:57] + "...")
    return "[<%s>]" % name_of_type(key)


def _attribute(parent, child, names):
    for name in names:
        try:
            if getattr(parent, name, None) is child:
                return "." + name
        except Exception:  # a getter of the user's
            continue
    return None


def _slots(kind):
    return [name for base in kind.__mro__ for name, value in vars(base).items()
            if isinstance(value, types.MemberDescriptorType)]


def _in_values(mapping, child, spell):
    for key, value in list(mapping.items()):
        if value is child:
            return spell(key)
        if key is child:
            return ".keys()"
    return None


def step(parent, child):
    """How the parent refers to the child, to be put behind the parent's expression."""
    if isinstance(parent, dict):
        return _in_values(parent, child, spell_key) or "[?]"
    if type(parent).__name__ == "deque" or isinstance(parent, (list, tuple)):
        for at, item in enumerate(parent):
            if item is child:
                return "[%d]" % at
    if isinstance(parent, (set, frozenset)):
        return ".{member}"
    if isinstance(parent, types.FrameType):
        return (_in_values(parent.f_locals, child, lambda name: ".f_locals[%r]" % name)
                or _attribute(parent, child, ("f_back",)) or ".f_locals")
    for kind, name in _GENERATORS:
        frame = getattr(parent, name, None) if isinstance(parent, kind) else None
        if frame is not None:
            return ".%s%s" % (name, step(frame, child))
    if isinstance(parent, BaseException):
        found = _attribute(parent, child, ("__traceback__", "__context__", "__cause__", "args", "__dict__"))
        if found:
            return found
    names = next((names for kind, names in _ATTRIBUTES.items() if isinstance(parent, kind)), ())
    if isinstance(parent, type):
        if isinstance(child, dict):
            return ".__dict__"
        return _in_values(vars(parent), child, lambda name: "." + str(name)) or ".<type>"
    if isinstance(getattr(parent, "__dict__", None), dict):
        if parent.__dict__ is child:
            return ".__dict__"
        found = _in_values(parent.__dict__, child, lambda name: "." + str(name))
        if found:
            return found
    return _attribute(parent, child, tuple(names) + tuple(_slots(type(parent)))) or ".<%s>" % type(parent).__name__


def _is_root(obj):
    return isinstance(obj, (types.ModuleType, contextvars.Context))


def _root_text(obj):
    if isinstance(obj, types.ModuleType):
        if sys.modules.get(obj.__name__) is obj:
            return "sys.modules[%r]" % obj.__name__
        return "<module %s>" % obj.__name__
    if isinstance(obj, types.FrameType):
        return "<%s() at %s:%d>" % (obj.f_code.co_name, obj.f_code.co_filename.rpartition("/")[2], obj.f_lineno)
    if isinstance(obj, dict) and any(isinstance(key, str) and key.startswith("thread.local.0x") for key in obj):
        return "<thread locals>"
    return "<%s>" % name_of_type(obj)


def _module_of(namespace):
    """The module whose namespace a dict is."""
    module = sys.modules.get(namespace.get("__name__")) if isinstance(namespace.get("__name__"), str) else None
    return module if module is not None and getattr(module, "__dict__", None) is namespace else None


def _spell(chain):
    """The expression of a chain from the holder to the object."""
    text, start = _root_text(chain[0]), 1
    if isinstance(chain[0], contextvars.Context):
        text, start = _variable_text(chain)
    for at in range(start, len(chain)):
        # a thread's values of a threading.local: a dict in a dict of its own, by weak reference
        if at >= 2 and isinstance(chain[at - 2], threading.local) and isinstance(chain[at - 1], dict):
            text += ".__dict__"
        elif not (isinstance(chain[at - 1], threading.local) and isinstance(chain[at], dict)):
            text += step(chain[at - 1], chain[at])
    return shorten(text)


def _variable_text(chain):
    """Of a context only its variables are of interest, not the tree in which it keeps them."""
    variables = {id(value): var.name for var, value in chain[0].items()}
    for at, obj in enumerate(chain):
        if id(obj) in variables:
            return "<context variable %s>" % variables[id(obj)], at + 1
    return "<context>", 1


def shorten(text):
    """x.__dict__['name'] is x.name."""
    parts = text.split(".__dict__['")
    for i in range(1, len(parts)):
        name, quote, rest = parts[i].partition("']")
        parts[i] = "." + name + rest if quote and name.isidentifier() else ".__dict__['" + parts[i]
    return "".join(parts)


def _running():
    """Frames that run now: what asks is not what holds."""
    frames = set()
    for frame in sys._current_frames().values():
        while frame is not None:
            frames.add(id(frame))
            frame = frame.f_back
    return frames


def _referrers(frontier, hidden):
    """[(referrer, child), ...] of a level: one pass over the heap for all."""
    found = gc.get_referrers(*frontier)
    inside = {id(obj): obj for obj in frontier}
    pairs = []
    for referrer in found:
        if id(referrer) in hidden or referrer is frontier:
            continue
        child = next((inside[id(one)] for one in gc.get_referents(referrer) if id(one) in inside), None)
        pairs.append((referrer, child))
    return pairs


def holder_chain(obj, hidden=()):
    """[holder, ..., obj] from a module, or from the last that anybody refers to; [obj] alone: nobody."""
    hidden = set(hidden) | _running()
    parents = {id(obj): None}
    keep = [obj]
    hidden |= {id(parents), id(keep), id(hidden)}
    frontier, last = [obj], obj
    for _ in range(DEPTH):
        hidden.add(id(frontier))
        following, namespaces = [], []
        pairs = _referrers(frontier, hidden)
        for referrer, child in pairs:
            if id(referrer) in parents or len(keep) > VISITED:
                continue
            parents[id(referrer)] = child
            keep.append(referrer)
            module = referrer if _is_root(referrer) else _module_of(referrer) if isinstance(referrer, dict) else None
            if module is not None:
                namespaces.append((module, referrer if module is not referrer else child))
            elif not isinstance(referrer, type) or referrer.__module__ != "builtins":
                following.append(referrer)
        del pairs
        if namespaces:
            return _chain(namespaces[0][0], namespaces[0][1], parents)
        if not following:
            break
        frontier, last = following[:WIDTH], following[0]
    return _chain(last, None, parents) if last is not obj else [obj]


def _chain(top, below, parents):
    chain, at = [top], below if below is not None else parents[id(top)]
    while at is not None:
        chain.append(at)
        at = parents[id(at)]
    return chain


def holder_path(obj, hidden=()):
    """A Python expression that leads to obj, such as sys.modules['app'].hub._subscribers[3].

    For one object of interest see heapwhy.chain() and Snapshot.holders(), which know more.
    Begins with <...> where the last holder is no module; says so in words when nothing refers to obj.
    hidden: ids of objects that are not looked at.
    """
    chain = holder_chain(obj, hidden)
    if len(chain) == 1:
        return "nothing that Python can see: C code kept, or lost, a reference"
    text = _spell(chain)
    local = _local_of(chain[0]) if isinstance(chain[0], dict) else None
    return text if local is None else "%s, values of %s" % (text, local)


def _local_of(namespace):
    """The threading.local whose values hang in a thread's dict."""
    for key in namespace:
        if isinstance(key, str) and key.startswith("thread.local.0x"):
            address = int(key[len("thread.local."):], 16)
            for candidate in gc.get_objects():
                if id(candidate) == address and isinstance(candidate, threading.local):
                    return _spell(holder_chain(candidate))
    return None
