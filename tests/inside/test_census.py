# SPDX-License-Identifier: Apache-2.0
"""Counting by type: the same as counting gc.get_objects(), and what that does not show."""
import collections
import gc
import json
import sys

import pytest
from support import package_pythons, python_inside

from heapwhy import _heapwhy


class Nested:
    pass


def counts(**options):
    return {kind: (count, size) for kind, count, size in _heapwhy.census(**options)}


def test_tracked_objects_are_those_of_the_collector():
    collections.Counter(type(o) for o in gc.get_objects())  # fills caches of the abstract classes
    gc.disable()
    try:
        objects = gc.get_objects()
        inside = collections.Counter(type(o) for o in objects)
        del objects
        told = counts(tracked=True, own=True)
    finally:
        gc.enable()
    wrong = {kind: (told.get(kind, (0, 0))[0], count) for kind, count in inside.items()
             if abs(told.get(kind, (0, 0))[0] - count) > 4}
    assert not wrong


def test_sizes_are_those_of_getsizeof():
    objects = [1, 0, -1, 2 ** 70, 2 ** 31, True, "", "a" * 100, "\u20ac" * 9, "\U0001f600", b"x" * 7, bytearray(9), 1.5, (), (1, 2), [], [1],
               list(range(50)), {}, {1: 2}, {i: i for i in range(100)}, set(), set(range(50)), frozenset("abc"),
               Nested(), Nested, object(), len, sys, test_sizes_are_those_of_getsizeof, range(3), slice(2),
               memoryview(b"abc"), iter([]), (i for i in "a"), collections.deque(range(100)),
               collections.OrderedDict(a=1), type("Slots", (), {"__slots__": ("a", "b")})()]
    for item in objects:
        ((kind, count, size),) = _heapwhy.census([item])
        assert (kind, count, size) == (type(item), 1, sys.getsizeof(item)), repr(item)[:60]


def test_a_size_in_python_that_raises_counts_as_the_plain_one():
    class Odd:
        __slots__ = ()

        def __sizeof__(self):
            raise RuntimeError("no size")

    assert _heapwhy.census([Odd()]) == [(Odd, 1, object().__sizeof__())]


def test_what_the_collector_does_not_track_is_counted():
    before = counts()[float][0]
    keep = [((((i + 0.5,),),),) for i in range(100)]
    assert counts()[float][0] == before + 100
    assert float not in counts(tracked=True)
    del keep
    assert counts()[float][0] == before


@pytest.mark.parametrize("python", package_pythons())
def test_every_interpreter_counts(python):
    told = json.loads(python_inside("""
import gc, json, heapwhy
from heapwhy import _heapwhy
class Frozen: pass
keep = [Frozen() for _ in range(300)]
gc.collect(); gc.freeze()
late = [Frozen() for _ in range(20)]
print(json.dumps([[kind.__name__, count] for kind, count, size in _heapwhy.census()]))
""", python))
    assert dict(told)["Frozen"] == 320


@pytest.mark.parametrize("function", ["type_counts(None)", "addresses()", "census()"])
def test_classes_that_are_garbage_stay_until_they_are_told(function):
    """Making the answer starts a collection, which would free them: debug hooks overwrite what is freed."""
    assert python_inside("""
import gc
from heapwhy import _heapwhy
for turn in range(20):
    gc.disable()
    for i in range(50):
        gone = type("Gone%d" % i, (), {})()
        gone.me = gone
    del gone
    gc.set_threshold(gc.get_count()[0] + 20)
    gc.enable()
    told = _heapwhy.FUNCTION
    gc.set_threshold(700)
    assert all(type(row[0]) is type or issubclass(type(row[0]), type) for row in told)
print(len(told) > 50)
""".replace("FUNCTION", function), env={"PYTHONMALLOC": "debug"}).strip() == "True"
