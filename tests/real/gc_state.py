# SPDX-License-Identifier: Apache-2.0
"""Brings the collector into a state, says what gc tells about it, prints READY and waits.

gc_state.py WAY, one of the functions below. The state is one line of JSON before READY.
"""
import gc
import json
import sys
import time

CYCLES = 500


class Node:
    __slots__ = ("me", "payload")


def make_cycles():
    for _ in range(CYCLES):
        node = Node()
        node.me = node
        node.payload = bytearray(1000)


def plain():
    pass


def disabled():
    """With garbage; what a collection of the same would find is tried before."""
    gc.collect()
    gc.disable()
    make_cycles()
    found = gc.collect()
    make_cycles()
    return {"found": found}


def threshold_zero():
    gc.set_threshold(0)


def rare():
    gc.set_threshold(1000000, 50, 100)


def frozen():
    gc.collect()
    gc.freeze()


def saveall():
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL | gc.DEBUG_UNCOLLECTABLE)
    make_cycles()
    gc.collect()


def callbacks():
    gc.callbacks.append(lambda phase, info: None)
    gc.callbacks.append(lambda phase, info: None)


def held_back():
    """Much survived the last full collection, little came since, and generation 2 is due."""
    global kept
    kept = [[i] for i in range(100000)]
    for one in kept:
        one.append(one)
    gc.collect()
    for _ in range(20):
        gc.collect(1)


def working():
    """Goes on collecting after READY."""


def subinterpreter():
    """Another interpreter, with a collector of its own, made after the main one."""
    try:
        import _interpreters as interpreters
    except ImportError:
        import _xxsubinterpreters as interpreters
    global other
    other = interpreters.create()
    interpreters.run_string(other, "import gc; gc.set_threshold(7, 7, 7); gc.disable()")


def state():
    objects = [len(gc.get_objects(generation=i)) for i in range(3)]
    return {"objects": objects, "stats": gc.get_stats(), "threshold": gc.get_threshold(),
            "count": gc.get_count(), "debug": gc.get_debug(), "frozen": gc.get_freeze_count(),
            "enabled": gc.isenabled(), "garbage": len(gc.garbage), "callbacks": len(gc.callbacks)}


way = sys.argv[1]
more = globals()[way]()
if way not in ("disabled", "saveall"):
    gc.collect(0)  # room before the next one, which must not come while this is told
known = state()
known.update(more or {})
print(json.dumps(known), flush=True)
print("READY", flush=True)
while True:
    time.sleep(0.05 if way == "working" else 3600)
    gc.collect(0)
    gc.collect(2)
