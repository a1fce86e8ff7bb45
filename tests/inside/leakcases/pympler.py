# SPDX-License-Identifier: Apache-2.0
"""pympler's functions."""
import contextlib
import gc
import io
import sys
import weakref

sys.modules["matplotlib"] = None  # pages without charts: matplotlib fills caches of its own

from heapwhy.compat.pympler import (_typedefs, asizeof, classtracker, classtracker_stats, garbagegraph, mprofile,  # noqa: E402
                                    muppy, process, refbrowser, refgraph, summary, tracker)
from heapwhy.compat.pympler.util import compat, stringutils  # noqa: E402
from things import Thing, swallow  # noqa: E402

FILE = "leakcheck-file"
muppy.collect = False
thing = Thing()
thing.a, thing.b = [1.5, (2.5,)], {"k": thing}
# no module: each repr() of one leaves a str in the cache of methods of Python 3.11, until its 4096 places are taken
data = [thing, "a", Thing, weakref.ref(thing), len]
summary_tracker, two_tracks = tracker.SummaryTracker(), tracker.Tracker()


def quiet(function, *args, **options):
    """Calls what prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return function(*args, **options)


def sized():
    asized = asizeof.asized(thing, detail=2)
    return asized.format(), str(asized), asized.get("a")


def sizer():
    asizer = asizeof.Asizer(stats=3, stream=io.StringIO())
    asizer.exclude_types(Thing)
    asizer.exclude_objs(len)
    asizer.exclude_refs(sys)
    asizer.set(align=16, detail=1, code=True)
    asizer.asizeof(data)
    asizer.asizesof(data, thing)
    asizer.asized(data)
    for name, value in vars(asizeof.Asizer).items():
        if isinstance(value, property):
            getattr(asizer, name)
    asizer.print_stats(objs=data)
    asizer.print_typedefs()
    asizer.reset()


def tracked():
    classes = classtracker.ClassTracker(io.StringIO())
    classes.track_class(Thing, trace=True, resolution_level=1)
    kept = Thing()
    classes.track_object(data[0], name="data")
    classes.track_change(kept, resolution_level=2)
    classes.create_snapshot("one")
    other = Thing()
    classes.create_snapshot("two")
    classes.objects[id(kept)].get_size_at_time(0.0)
    del other
    stats = classes.stats
    stats.sort_stats("size").reverse_order().print_stats()
    stats.print_summary()
    stats.dump_stats(FILE)
    loaded = classtracker_stats.HtmlStats(filename=FILE)
    loaded.create_html(FILE + ".html")
    [(one.label, one.total) for one in classes.snapshots]
    classes.detach_class(Thing)
    classes.close()
    classes.detach_all()
    classes.clear()


def periodic():
    classes = classtracker.ClassTracker()
    classes.start_periodic_snapshots(0.0)
    classes.stop_periodic_snapshots()


def references():
    graph = refgraph.ReferenceGraph([thing, thing.a, thing.b, [1]], reduce=False)
    graph.write_graph(FILE)
    list(graph.split())
    return graph.reduce_to_cycles(), graph.split_and_sort(), {repr(edge): hash(edge) for edge in graph.edges}, graph.edges == []


def garbage():
    garbagegraph.start_debug_garbage()
    one = []
    one.append(one)
    del one
    garbagegraph.GarbageGraph(collectable=True).print_stats(io.StringIO())
    garbagegraph.end_debug_garbage()
    gc.garbage.clear()


def changes():
    """Of a new tracker: what one has seen it keeps."""
    objects = tracker.ObjectTracker()
    return objects.get_diff(), objects.format_diff(), quiet(objects.print_diff)


def browse():
    stream = io.StringIO()
    refbrowser.StreamBrowser(thing, maxdepth=1, stream=stream).print_tree()
    refbrowser.FileBrowser(thing, maxdepth=1).print_tree(FILE)
    quiet(lambda: refbrowser.ConsoleBrowser(thing, maxdepth=1, repeat=False).print_tree())
    return stream.getvalue(), refbrowser.gui_default_str_function(thing)


CASES = {
    "asizeof": lambda: asizeof.asizeof(data),
    "asizesof": lambda: asizeof.asizesof(thing, data, code=True),
    "asized": sized,
    "asizeof, stats": lambda: asizeof.asizeof(thing, stats=2, stream=io.StringIO()),
    "asizeof, wrong option": lambda: swallow(asizeof.asizeof, data, nonsense=1),
    "Asizer": sizer,
    "flatsize and others": lambda: (asizeof.flatsize(data), asizeof.basicsize(data), asizeof.itemsize(data), asizeof.leng(data),
                                    list(asizeof.refs(data)), asizeof.named_refs(thing), asizeof.adict(), asizeof.amapped()),
    "summary": lambda: (summary.summarize(data), quiet(summary.print_, summary.summarize(data)),
                        summary.get_diff(summary.summarize(data), summary.summarize(data + [1]))),
    "format_": lambda: list(summary.format_(summary.summarize(data))),
    "muppy on lists": lambda: (muppy.get_size(data), muppy.get_diff(data, [thing]), muppy.sort(["a", ""]),
                               muppy.ignore_object(data), muppy.filter(data, Type=str, min=1), muppy.get_referents(data, 2)),
    "ReferenceGraph": references,
    "process": lambda: (repr(process.ProcessMemoryInfo()), process.ProcessMemoryInfo() - process.ProcessMemoryInfo(),
                        process.is_available(), process.get_current_threads(), process.get_current_thread_id(),
                        process._ProcessMemoryInfoResource().update()),
    "typedefs": lambda: (_typedefs.containers(), _typedefs.typedef_of(data).format()),
    "texts": lambda: (stringutils.safe_repr(data, 5), stringutils.trunc("abcdef", 3), stringutils.pp(5000),
                      stringutils.pp_timestamp(1.0), compat.object_in_list(thing, data)),
    # a walk over the heap each
    "get_objects": lambda: (muppy.get_objects(), muppy.get_objects(include_frames=True)[:0]),
    "print_summary": lambda: quiet(muppy.print_summary),
}
SLOW_CASES = {
    "RefBrowser": browse,
    "ObjectTracker": changes,
    "Tracker": lambda: (two_tracks.track(), two_tracks.diff()),
    "SummaryTracker": lambda: (summary_tracker.store_summary(1), summary_tracker.diff(), list(summary_tracker.format_diff()),
                               quiet(summary_tracker.print_diff)),
    "ClassTracker": tracked,
    "periodic snapshots": periodic,
    "GarbageGraph": garbage,
    "new trackers": lambda: (tracker.SummaryTracker(), tracker.Tracker()),
    "MProfiler.profile": lambda: mprofile.MProfiler([(None, "nonsense", None)]).profile(sys._getframe(), "call", None),
    "MProfiler": lambda: mprofile.MProfiler(events=["call"]).run("int()\n(lambda: 1)()"),
    "render": lambda: refgraph.ReferenceGraph([thing, thing.a]).render(FILE, unflatten=False),
    "ps": lambda: process._ProcessMemoryInfoPS().update(),
    "asizeof of all": lambda: asizeof.asizeof(all=True),
}
