# SPDX-License-Identifier: Apache-2.0
"""Sizes, lists of objects and summaries, in C."""
import sys
import weakref

import heapwhy
from heapwhy import _heapwhy
from things import Thing, swallow

thing = Thing()
thing.a, thing.b = [1.5, (2.5,)], {"k": thing}
data = [thing, "a", Thing, weakref.ref(thing), len, sys]


def sizer():
    sizer = _heapwhy.Sizer(16, 0.5)
    sizer.code = True
    sizer.hold(thing)
    sizer.exclude(data)
    return (sizer.add(thing), sizer.add_below(data, 3), sizer.meet(thing), sizer.flat(thing), sizer.values(thing),
            sizer.referents(thing), sizer.referents(data, True), sizer.sized, sizer.met, sizer.duplicates)


CASES = {
    "sizeof": lambda: heapwhy.sizeof(data),
    "deepsizeof": lambda: heapwhy.deepsizeof(data, thing, exclude=[thing.a], weak=True),
    "deepsizeof, code": lambda: heapwhy.deepsizeof(swallow, code=True, frames=True),
    "deepsizeof, limit": lambda: heapwhy.deepsizeof(data, limit=2),
    "Sizer": sizer,
    "summary": lambda: _heapwhy.summary(data, (str, Thing), (thing.a, thing.b)),
    "unique": lambda: _heapwhy.unique(data + data),
    "missing": lambda: _heapwhy.missing(data, [thing]),
    "wrong arguments": lambda: (swallow(heapwhy.deepsizeof, align=3), swallow(heapwhy.deepsizeof, exclude=5),
                                swallow(_heapwhy.Sizer, "x"), swallow(_heapwhy.summary, 5, (), ()),
                                swallow(_heapwhy.unique, 5), swallow(_heapwhy.missing, data, 5)),
    # a walk over the heap each
    "objects": lambda: _heapwhy.objects(frames=False),
    "tracked objects": lambda: _heapwhy.objects(tracked=True),
    "summary of all": lambda: _heapwhy.summary(None, (str,), (data,)),
}
