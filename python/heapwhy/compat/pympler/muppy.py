# SPDX-License-Identifier: Apache-2.0
"""All objects that are alive, as a list.

Every object is found that anything tracked by the collector leads to, however deep. `collect` decides for the
whole package whether finding objects begins with a collection, as Pympler's does: garbage in cycles is
not counted then. Set it to False to see that garbage, and to leave the collector alone.
"""
import builtins
import gc
import inspect
from typing import Any, Callable, Dict, List, Optional, Tuple

from heapwhy import _heapwhy
from heapwhy.compat.pympler import summary

collect = True

_HAVE_GC = 1 << 14  # Py_TPFLAGS_HAVE_GC


def _collect() -> None:
    if collect:
        gc.collect()


def ignore_object(obj: Any) -> bool:
    """Whether get_objects() leaves an object out: frames are left out."""
    try:
        return inspect.isframe(obj)
    except ReferenceError:
        return True


def get_objects(remove_dups: bool = True, include_frames: bool = False) -> List[Any]:
    """A list of all objects that are alive, each once, without frames.

    remove_dups: there are no duplicates, so nothing changes. include_frames: add the frames of the
    callers; delete the list before you return then, or list and frame are a cycle. The list takes 8 bytes an object,
    and keeps all of them alive.
    """
    _collect()
    objects = _heapwhy.objects(frames=False)
    if include_frames:
        frame = inspect.currentframe().f_back.f_back
        while frame is not None:
            objects.append(frame)
            frame = frame.f_back
    return objects


def get_size(objects: List[Any]) -> int:
    """Bytes of all objects of a list, as sys.getsizeof() gives them. Duplicates count."""
    return sum(size for _, _, size in _heapwhy.summary(list(objects), (), ())[0])


def get_diff(left: List[Any], right: List[Any]) -> Dict[str, List[Any]]:
    """{'+': objects of right that are not in left, '-': of left not in right}, told apart by identity."""
    left, right = list(left), list(right)
    return {"+": _heapwhy.missing(right, left), "-": _heapwhy.missing(left, right)}


def sort(objects: List[Any]) -> List[Any]:
    """A new list, the smallest objects first."""
    return sorted(objects, key=_heapwhy.sizeof)


def filter(objects: List[Any], Type: Optional[type] = None, min: int = -1, max: int = -1) -> List[Any]:
    """The objects that are instances of Type, larger than min bytes and smaller than max (-1: any)."""
    if min > max and max > -1:
        raise ValueError("minimum must be smaller than maximum")
    if Type is not None:
        objects = [o for o in objects if isinstance(o, Type)]
    if min > -1:
        objects = [o for o in objects if _heapwhy.sizeof(o) > min]
    if max > -1:
        objects = [o for o in objects if _heapwhy.sizeof(o) < max]
    return objects


def get_referents(object: Any, level: int = 1) -> List[Any]:
    """What an object refers to directly, and over up to `level` steps; each object once."""
    seen: List[Any] = []
    ring = [object]
    for _ in range(builtins.max(level, 1)):
        ring = _heapwhy.missing(_heapwhy.unique(gc.get_referents(*ring)), seen) if ring else []
        if not ring:
            break
        seen += ring
    return seen


def _get_usage(function: Callable[..., Any], *args: Any) -> Optional[summary.Summary]:
    """What the second call of a function leaves behind, as a summary; None if that is nothing."""
    left = None
    for _ in range(2):
        before = _everything()
        function(*args)
        left = summary._sweep(summary.get_diff(before, _everything((before,))))
    return left or None


def _is_containerobject(o: Any) -> bool:
    """Whether the collector may track objects of this type."""
    return bool(getattr(type(o), "__flags__", 0) & _HAVE_GC)


def _remove_duplicates(objects: List[Any]) -> List[Any]:
    """The objects of a list, each once, in order."""
    return _heapwhy.unique(list(objects))


def _everything(hide: Tuple[Any, ...] = ()) -> summary.Summary:
    """The summary of all objects, without making a list of them unless names are somebody's own."""
    if summary._repr is not summary._plain_repr:
        return summary.summarize(get_objects())
    _collect()
    return summary._rows(None, hide)


def print_summary() -> None:
    """Prints the summary of all objects that are alive."""
    summary.print_(_everything())
