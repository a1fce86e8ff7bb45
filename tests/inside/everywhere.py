# SPDX-License-Identifier: Apache-2.0
"""Calls what heapwhy offers from one of the places that a program may call it from: everywhere.py PLACE.

Run by test_everywhere.py, with warnings that are errors. Prints what it is asked for and nothing else.
"""
import atexit
import builtins
import gc
import io
import multiprocessing
import os
import sys
import tempfile
import threading

import heapwhy
from heapwhy.compat import objgraph
from heapwhy.compat.pympler import asizeof, muppy, summary


class Item:
    pass


class Hub:
    def __init__(self):
        self.items = [Item() for _ in range(50)]


HUB = Hub()
FOLDER = tempfile.gettempdir()


def ask_a_snapshot(kind=Item, hub=HUB):
    with heapwhy.snapshot() as one:
        assert len(one.objects(kind)) == 50 and len(one.types()) > 20
        assert "items" in one.holders(hub.items[3])[0].path
        for ask in (one.referrers, one.referents, one.retained):
            assert len(ask(hub)) > 0


def ask_everything():
    with heapwhy.snapshot() as one:
        for ask in (one.paths, one.owners):
            assert len(ask(Item)) > 0
        for ask in (one.tree, one.cycles, one.collector, one.memory, one.audit, one.resources, one.diagnose):
            repr(ask())


def save_a_snapshot():
    path = os.path.join(FOLDER, "everywhere-%d-%d.hwsnap" % (os.getpid(), threading.get_ident()))
    try:
        with heapwhy.snapshot(path, copy=False) as one, heapwhy.open(path) as read:
            assert len(read.types()) == len(one.types()) > 20
            repr(one.diff(read))
    finally:
        os.unlink(path)


def ask_the_heap(kind=Item, hub=HUB):
    items = heapwhy.heap() & kind
    assert items.count == 50 and items.size > 0 and items.dominated_size > 0
    for partition in (items.by_type, items.by_module, items.by_size, items.by_referrers, items.by_via):
        assert len(partition()) > 0
    assert (heapwhy.heapset(hub.items) ^ items).count == 0
    assert items.shortest_paths() and items.reference_pattern() and items.referrers.count


def follow_references(hub=HUB):
    assert heapwhy.sizeof(hub) < heapwhy.deepsizeof(hub)
    assert heapwhy.referrers(hub.items) and heapwhy.referents(hub)
    assert heapwhy.chain(hub.items[0], lambda one: one is hub)
    assert len(objgraph.find_backref_chain(hub.items[0], lambda one: one is hub)) >= 3
    for show in (heapwhy.show_refs, heapwhy.show_backrefs):
        assert show([hub], max_depth=2).dot.startswith("digraph")


def count_growth():
    heapwhy.growth()
    assert objgraph.typestats()["Item"] == objgraph.count("Item") == 50
    objgraph.growth()
    objgraph.get_leaking_objects()
    assert summary.summarize(muppy.get_objects()) and asizeof.asizeof(HUB) > 0


def watch_a_block():
    with heapwhy.watching() as watch:
        pass
    repr(watch.growth())
    watch.close()


def measure():
    told = io.StringIO()

    @heapwhy.profile(stream=told)
    def work():
        block = bytearray(10 ** 6)
        return len(block)

    assert work() == 10 ** 6 and "block = bytearray" in told.getvalue()
    assert heapwhy.memory_usage()[0] > 1
    assert heapwhy.memory_usage((sum, ([1, 2],)), interval=0.01, retval=True)[1] == 3
    assert heapwhy.find_leak(lambda: None) is None


def find_garbage(kind=Hub):
    lost = kind()
    lost.itself = lost
    del lost
    assert heapwhy.garbage() is not None
    gc.collect()
    with heapwhy.cycles_forbidden():
        pass
    assert heapwhy.collector_state() and heapwhy.uncollectable() is not None


def arm():
    with heapwhy.dump_on_memory_error(FOLDER + "/never"), heapwhy.dump_near_limit(FOLDER + "/never", 1.0, interval=0.01):
        pass


QUICK = (ask_a_snapshot, ask_the_heap, follow_references, count_growth, measure, find_garbage, arm)
SLOW = (ask_everything, save_a_snapshot, watch_a_block)


def call(parts=QUICK):
    for part in parts:
        part()
    print("all", flush=True)


# ---- places ----

def exit_status(pid):
    return os.waitpid(pid, 0)[1]


def child_of_fork():
    pid = os.fork()
    if not pid:
        status = 1
        try:
            call()
            status = 0
        finally:
            os._exit(status)
    assert exit_status(pid) == 0


def child_of_multiprocessing():
    child = multiprocessing.get_context("fork").Process(target=call)
    child.start()
    child.join()
    assert child.exitcode == 0


def one_after_the_other():
    """In the main thread, in children, and when the interpreter ends."""
    atexit.register(call)
    call(QUICK + SLOW)
    child_of_fork()
    child_of_multiprocessing()


def threads():
    """In two threads at once, while a third runs Python code."""
    stop = threading.Event()

    def work():
        kept = []
        while not stop.is_set():
            kept.append({"n": [len(kept)]})
            del kept[:-200]

    worker, asker = threading.Thread(target=work), threading.Thread(target=call)
    worker.start()
    asker.start()
    try:
        call()
        asker.join()
    finally:
        stop.set()
        worker.join()


class Last:
    """Calls when it dies. The collector may be at work by then, and Python code may miss what it needs, builtins
    even; an exception says so, and everything else goes on."""

    def __init__(self, parts):
        self.parts, self.write = parts, os.write

    def __del__(self):
        for part in self.parts:
            try:
                part()
            except Exception:
                pass
        self.write(1, b"all\n")


def finalizers():
    """When modules are torn down: an object of the main module, one of a cycle, one of builtins."""
    parts = (ask_a_snapshot, ask_the_heap, follow_references, find_garbage)
    call(parts)
    cycle = Last(parts)
    cycle.itself = cycle
    globals()["last"] = Last(parts)
    builtins.last = Last(parts)


def daemons():
    """Threads that are in a call when the interpreter ends."""
    def forever(function):
        while True:
            function()

    functions = [heapwhy.types, heapwhy.garbage, heapwhy.heap, lambda: heapwhy.referrers(HUB.items),
                 lambda: heapwhy.memory_usage((sum, ([],)), interval=0.001)]
    if not hasattr(sys, "gettotalrefcount"):  # a debug build asserts that no such thread held certain types at its end
        functions.append(heapwhy.growth)
    for function in functions:
        threading.Thread(target=forever, args=(function,), daemon=True).start()
    threading.Event().wait(0.3)
    print("all", flush=True)


def forked_amid():
    """A fork while threads of heapwhy run, which the child does not have."""
    kept = heapwhy.dump_near_limit(FOLDER + "/never", 1.0, interval=0.01)
    with heapwhy.watching(interval=0.01) as watch:
        usage, pid = heapwhy.memory_usage((os.fork, ()), interval=0.01, retval=True)
        repr(heapwhy.types())
    kept.stop()
    assert usage and repr(watch.snapshots[-1].types())
    if pid:
        assert exit_status(pid) == 0
    print("all", flush=True)


PLACES = {place.__name__: place for place in (one_after_the_other, threads, finalizers, daemons, forked_amid)}

if __name__ == "__main__":
    PLACES[sys.argv[1]]()
