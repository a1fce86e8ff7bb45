# SPDX-License-Identifier: Apache-2.0
"""Sizes, lists of objects and summaries leave no reference and no block behind."""
import os

import pytest
from support import counting_pythons, python_inside

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAM = """
import gc, io, sys, weakref
sys.path.insert(0, %r)
import leakcheck
import heapwhy
from heapwhy import _heapwhy
from heapwhy.compat.pympler import asizeof, classtracker, muppy, refbrowser, refgraph, summary, tracker

class Thing:
    pass

thing = Thing()
thing.a, thing.b = [1.5, (2.5,)], {"k": thing}
data = [thing, "a", Thing, weakref.ref(thing), len, sys]

def swallow(function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except (KeyError, TypeError, ValueError):
        pass

def sizer():
    sizer = _heapwhy.Sizer(16, 0.5)
    sizer.code = True
    sizer.hold(thing)
    sizer.exclude(data)
    sizer.add(thing)
    sizer.add_below(data, 3)
    return (sizer.meet(thing), sizer.flat(thing), sizer.values(thing), sizer.referents(thing), sizer.referents(data, True),
            sizer.sized, sizer.met, sizer.duplicates)

leakcheck.check({
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
})
# Python on top of that.
leakcheck.check({
    "asizeof": lambda: asizeof.asizeof(data),
    "asizesof": lambda: asizeof.asizesof(thing, data, code=True),
    "asized": lambda: asizeof.asized(thing, detail=2).format(),
    "asizeof, stats": lambda: asizeof.asizeof(thing, stats=2, stream=io.StringIO()),
    "asizeof, wrong option": lambda: swallow(asizeof.asizeof, data, nonsense=1),
    "flatsize and others": lambda: (asizeof.flatsize(data), asizeof.basicsize(data), asizeof.itemsize(data),
                                    asizeof.leng(data), list(asizeof.refs(data)), asizeof.named_refs(thing)),
    "summarize": lambda: summary.summarize(data),
    "format_": lambda: list(summary.format_(summary.summarize(data))),
    "muppy on lists": lambda: (muppy.get_size(data), muppy.get_diff(data, [thing]), muppy.sort(["a", ""]),
                               muppy.filter(data, Type=str, min=1), muppy.get_referents(data, 2)),
    "ReferenceGraph": lambda: refgraph.ReferenceGraph([thing, thing.a, thing.b])._get_graphviz_data(),
}, calls=leakcheck.CALLS)
# A walk over the whole heap each.
muppy.collect = False
watching = tracker.SummaryTracker()
classes = classtracker.ClassTracker()
def snapshot():
    classes.track_object(Thing())
    classes.create_snapshot()
    classes.clear()
    classes.history.clear()
leakcheck.check({
    "objects": lambda: _heapwhy.objects(frames=False),
    "tracked objects": lambda: _heapwhy.objects(tracked=True),
    "summary of all": lambda: _heapwhy.summary(None, (str,), (data,)),
    "get_objects": muppy.get_objects,
    "SummaryTracker": watching.diff,
    "ObjectTracker": lambda: tracker.ObjectTracker().get_diff(),
    "RefBrowser": lambda: refbrowser.RefBrowser(thing, maxdepth=1).get_tree(),
    "ClassTracker": snapshot,
}, calls=leakcheck.HEAP_CALLS)
""" % HERE


@pytest.mark.skipif("HEAPWHY_LEAK_CALLS" not in os.environ, reason="takes long: make leaks")
@pytest.mark.parametrize("python", counting_pythons())
def test_nothing_is_left_behind(python):
    python_inside(PROGRAM, python, timeout=2400)
