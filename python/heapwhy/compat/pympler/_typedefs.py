# SPDX-License-Identifier: Apache-2.0
"""What asizeof tells of types: basic and item sizes, lengths, and what objects refer to by name.

Sizes that are added up do not come from here, but from the engine (heapwhy._heapwhy.Sizer).
"""
import array
import gc
import os
import sys
import types
import weakref
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

from heapwhy import _heapwhy

Named = Iterator[Tuple[Optional[str], Any]]

_sizeof_CPyGC_Head = 16  # Include/internal/pycore_gc.h: two words before an object
_sizeof_CPyDictEntry = 24  # Objects/dict-common.h: hash, key, value
_sizeof_Csetentry = 16  # Include/setobject.h: key, hash
_sizeof_Cvoidp = 8
_sizeof_Crefcounts = 0

_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC

# Dict-like classes of their own that adict() installed: by module, names.
_dict_types: Dict[str, Tuple[str, ...]] = {}


def _nameof(obj: Any, default: Any = "") -> Any:
    return getattr(obj, "__name__", default)


def _repr(obj: Any, clip: int = 80) -> str:
    """repr() that never raises, on one line, its middle left out beyond clip characters."""
    try:
        text = repr(obj).replace(os.linesep, "\\n")
    except Exception:
        text = "N/A"
    half = clip // 2 - 2
    return text[:half] + "...." + text[-half:] if len(text) > clip > 0 and half > 0 else text


def _prepr(obj: Any, clip: int = 0) -> str:
    return _repr(obj, clip).strip("<>").replace("'", "")


# Referents by name.

def _attributes(*names: str) -> Callable[[Any], Named]:
    def named(obj: Any) -> Named:
        for name in names:
            if hasattr(obj, name):
                yield name, getattr(obj, name)
    return named


def _prefixed(prefix: str, *names: str) -> Callable[[Any], Named]:
    def named(obj: Any) -> Named:
        yield from _attributes(*names)(obj)
        for name in dir(obj):
            if name.startswith(prefix) and hasattr(obj, name):
                yield name, getattr(obj, name)
    return named


def _slot_values(obj: Any) -> Named:
    """The attributes in slots, of base classes too."""
    seen = set()
    for cls in type(obj).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name.startswith("__") and not name.endswith("__"):
                name = "_" + cls.__name__.lstrip("_") + name
            if name not in seen and name not in ("__dict__", "__weakref__") and hasattr(obj, name):
                seen.add(name)
                yield name, getattr(obj, name)


def _inst_refs(obj: Any) -> Named:
    """Asking an instance for its dict makes one, from 3.11 on: only for who wants names."""
    if hasattr(obj, "__dict__"):
        yield "__dict__", obj.__dict__
    yield "__class__", type(obj)
    yield from _slot_values(obj)


def _dict_refs(obj: Any) -> Named:
    for key, value in list(obj.items()):
        name = str(key)
        yield "[K] " + name, key
        yield "[V] " + name + ": " + _repr(value), value


def _module_refs(obj: Any) -> Named:
    return _dict_refs(obj.__dict__)


def _seq_refs(obj: Any) -> Named:
    return ((None, item) for item in obj)


def _namedtuple_refs(obj: Any) -> Named:
    yield "__class__", type(obj)
    yield from _seq_refs(obj)


def _cell_refs(obj: Any) -> Named:
    try:
        yield "cell_contents", obj.cell_contents
    except ValueError:
        pass  # empty


def _weak_refs(obj: Any) -> Named:
    target = obj()
    if target is not None:
        yield None, target


_class_refs = _attributes("__class__", "__doc__", "__mro__", "__name__", "__slots__", "__weakref__", "__dict__")
_co_refs = _prefixed("co_")
_doc_refs = _attributes("__doc__")
_exc_refs = _attributes("args", "filename", "lineno", "msg", "text")
_frame_refs = _prefixed("f_")
_func_refs = _attributes("__doc__", "__name__", "__code__", "__closure__")
_im_refs = _attributes("__doc__", "__name__", "__code__")
_prop_refs = _prefixed("f", "__doc__")
_stat_refs = _prefixed("st_")
_statvfs_refs = _prefixed("f_")
_tb_refs = _prefixed("tb_")
_array_refs = _attributes("base")


# Lengths.

def _len(obj: Any) -> int:
    try:
        return len(obj)
    except TypeError:
        return 0


def _len_items(obj: Any) -> int:
    """Items that there is room for."""
    room = sys.getsizeof(obj) - sys.getsizeof(type(obj)())
    return max(room // _sizeof_Cvoidp, len(obj))


def _len_dict(obj: Any) -> int:
    """Items that there is about room for; 0 where a small table does."""
    return 0 if len(obj) < 6 else 1 << len(obj).bit_length()


def _len_set(obj: Any) -> int:
    return 0 if not obj else max(8, 1 << (2 * len(obj) - 2).bit_length()) if len(obj) > 8 else 8


def _len_int(obj: int) -> int:
    """Digits."""
    return max((sys.getsizeof(obj) - int.__basicsize__) // int.__itemsize__, 0)


def _len_iter(obj: Any) -> int:
    hint = getattr(obj, "__length_hint__", None)
    return hint() if callable(hint) else _len(obj)


def _len_module(obj: Any) -> int:
    return len(obj.__dict__)


def _len_unicode(obj: str) -> int:
    return len(obj) + 1


def _len_slice(obj: slice) -> int:
    try:
        return (obj.stop - obj.start + 1) // obj.step
    except TypeError:
        return 0


def _len_struct(obj: Any) -> int:
    return obj.size


class Typedef(NamedTuple):
    """What is known of a type."""
    base: int  # bytes of an object without items
    item: int  # bytes of an item, 0: there are none, or they differ
    leng: Optional[Callable[[Any], int]]
    refs: Optional[Callable[[Any], Named]]
    kind: str  # static: known here; dynamic: found out; derived, inferred: like a dict; ignored
    both: bool  # False: code, which counts only when asked for
    vari: str = ""  # the attribute that tells the bytes of an item

    def format(self) -> Dict[str, Any]:
        """The values for a line of a list of types."""
        leng = " (%s)" % self.leng.__name__ if self.leng else ""
        return {"base": self.base, "item": self.vari and "var" or self.item, "leng": leng,
                "code": "" if self.both else " (code only)", "kind": self.kind}

    def __str__(self) -> str:
        text = "%s, %s, %s, %s" % (self.base, self.item, _nameof(self.leng) or "n/a", _nameof(self.refs) or "n/a")
        return text if self.both else text + " (code only)"


def _basicsize(kind: type) -> int:
    header = _sizeof_CPyGC_Head if kind.__flags__ & _HAVE_GC else 0
    return kind.__basicsize__ + header + _sizeof_Crefcounts


def _static(kind: type, item: int = 0, leng: Any = None, refs: Any = None, both: bool = True,
            ignored: bool = False) -> None:
    _typedefs[kind] = Typedef(_basicsize(kind), item or kind.__itemsize__, leng, refs,
                              "ignored" if ignored else "static", both)


_typedefs: Dict[Any, Typedef] = {}

for _kind in (complex, float, bool, type(None), type(Ellipsis), type(NotImplemented), range,
              types.GetSetDescriptorType, types.MemberDescriptorType, weakref.ProxyType):
    _static(_kind)
_static(int, leng=_len_int)
_static(list, _sizeof_Cvoidp, _len_items, _seq_refs)
_static(tuple, _sizeof_Cvoidp, _len, _seq_refs)
_static(set, _sizeof_Csetentry, _len_set, _seq_refs)
_static(frozenset, _sizeof_Csetentry, _len_set, _seq_refs)
_static(dict, _sizeof_CPyDictEntry, _len_dict, _dict_refs)
_static(types.MappingProxyType, _sizeof_CPyDictEntry, _len_dict, _dict_refs)
_static(types.ModuleType, _sizeof_CPyDictEntry, _len_module, _module_refs)
_static(bytes, 1, _len)
_static(bytearray, 1, lambda obj: obj.__alloc__())
_static(str, 1, _len_unicode)
_static(slice, _sizeof_Cvoidp, _len_slice)
_static(property, refs=_prop_refs)
_static(enumerate, refs=_doc_refs)
_static(reversed, refs=_doc_refs)
_static(type(os.stat(os.curdir)), refs=_stat_refs)
_static(type(os.statvfs(os.curdir)), _sizeof_Cvoidp, _len, _statvfs_refs)
_static(types.TracebackType, refs=_tb_refs)
_static(types.CellType, refs=_cell_refs)
_static(weakref.ReferenceType, refs=_weak_refs)
_static(weakref.KeyedRef, refs=_weak_refs)
_static(types.GeneratorType)
for _kind in (classmethod, staticmethod, types.MethodType):
    _static(_kind, refs=_im_refs, both=False)
_static(types.FunctionType, refs=_func_refs, both=False)
_static(types.CodeType, refs=_co_refs, both=False)
for _kind in (object, super, type):
    _static(_kind, both=False, ignored=True)
for _sample in ([], (), {}, set(), "", b"", bytearray(), range(0), {}.keys(), {}.values(), {}.items(),
                reversed([])):
    _static(type(iter(_sample)), leng=_len_iter)
del _kind, _sample


def _is_array(obj: Any) -> bool:
    return isinstance(obj, array.array) or all(hasattr(obj, name) for name in ("dtype", "itemsize", "nbytes"))


def _is_dict_like(obj: Any) -> bool:
    return type(obj).__name__ in _dict_types.get(type(obj).__module__, ())


def _infer_dict(obj: Any) -> bool:
    """Whether something looks like a dict."""
    names = ("items", "keys", "values", "get", "has_key", "__len__")
    return all(callable(getattr(obj, name, None)) for name in names)


def _dynamic(obj: Any, infer: bool) -> Typedef:
    kind, base = type(obj), _basicsize(type(obj))
    if isinstance(obj, type):
        return Typedef(base, 0, None, _class_refs, "dynamic", False)
    if isinstance(obj, types.ModuleType):
        return Typedef(base, _sizeof_CPyDictEntry, _len_module, _module_refs, "dynamic", True)
    if isinstance(obj, types.FrameType):
        return Typedef(base, kind.__itemsize__, None, _frame_refs, "ignored", True)
    if isinstance(obj, types.BuiltinFunctionType):
        return Typedef(base, 0, None, None, "ignored", False)
    if isinstance(obj, dict) or _is_dict_like(obj) or (infer and _infer_dict(obj)):
        return Typedef(base, _sizeof_CPyDictEntry, _len_dict, _dict_refs,
                       "derived" if isinstance(obj, dict) else "inferred", True)
    if isinstance(obj, tuple) and hasattr(obj, "_fields"):
        return Typedef(base, _sizeof_Cvoidp, _len, _namedtuple_refs, "dynamic", True)
    if _is_array(obj):
        refs = None if isinstance(obj, array.array) else _array_refs
        return Typedef(base, 1, _len_bytes, refs, "dynamic", True, "itemsize")
    if isinstance(obj, BaseException):
        return Typedef(base, kind.__itemsize__, _len, _exc_refs, "derived", True)
    return Typedef(base, kind.__itemsize__, _len, _inst_refs, "dynamic", True)


def _len_bytes(obj: Any) -> int:
    """Bytes of the items of an array."""
    return obj.nbytes if hasattr(obj, "nbytes") else len(obj) * obj.itemsize


def key_of(obj: Any) -> Any:
    """What stands for an object in tables of types: a class for itself, all else for its type."""
    return ("def", obj) if type(obj) is type else type(obj)


def key_name(key: Any) -> str:
    return _prepr(key[1]) + " def" if isinstance(key, tuple) else _prepr(key)


def typedef_of(obj: Any, save: bool = True, infer: bool = False) -> Typedef:
    """What is known of an object's type; found out, and with save remembered, when it is a new one."""
    known = _typedefs.get(key_of(obj))
    if known is None:
        known = _dynamic(obj, infer)
        if save:
            _typedefs[key_of(obj)] = known
    return known


_names = _heapwhy.Sizer(counts=False)
_names.code = _names.builtins = _names.frames = True


def referents(obj: Any, sizer: Any = _names, infer: bool = False) -> List[Tuple[Optional[str], Any]]:
    """[(name or None, referent), ...]: those with a name first, then what else the engine follows."""
    refs = typedef_of(obj, infer=infer).refs
    named = list(refs(obj)) if refs else []
    known = {id(ref) for _, ref in named}
    if refs is _inst_refs and hasattr(obj, "__dict__"):
        known.update(map(id, obj.__dict__.values()))
    rest = _heapwhy.unique(sizer.referents(obj, True))
    return named + [(None, ref) for ref in rest if id(ref) not in known]


def containers() -> List[Any]:
    """What the collector tracks."""
    return gc.get_objects()
