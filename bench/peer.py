# SPDX-License-Identifier: Apache-2.0
"""One call of one peer inside a process with the heap: peer.py NAME INSTANCES [REPEAT]

Prints one line of JSON: seconds of the call alone (of each repetition), by how much the process's
resident memory grew at most, and how many objects the peer saw (or the size it found).
"""

import gc
import json
import sys
import time

import heap


def of_gc_collect(records):
    return gc.collect, lambda result: len(gc.get_objects())


def of_objgraph_typestats(records):
    import objgraph

    return objgraph.typestats, lambda result: sum(result.values())


def of_objgraph_growth(records):
    import objgraph

    peak = {}
    return lambda: objgraph.growth(limit=None, peak_stats=peak), lambda result: sum(peak.values())


def of_objgraph_find_backref_chain(records):
    import objgraph

    record = records[len(records) // 2]

    def call():
        return objgraph.find_backref_chain(record, objgraph.is_proper_module)

    def seen(chain):
        assert chain[-1] is record and len(chain) > 1
        return len(chain)

    return call, seen


def of_guppy_heap(records):
    from guppy import hpy

    hp = hpy()
    return hp.heap, lambda result: result.count


def of_pympler_summary(records):
    from pympler import muppy, summary

    return (
        lambda: summary.summarize(muppy.get_objects()),
        lambda rows: sum(row[1] for row in rows),
    )


def of_pympler_asizeof(records):
    from pympler import asizeof

    return lambda: asizeof.asizeof(records), lambda size: size


def of_guppy_domisize(records):
    from guppy import hpy

    hp = hpy()
    return lambda: hp.iso(records).domisize, lambda size: size


PEERS = {
    "gc.collect": of_gc_collect,
    "objgraph.typestats": of_objgraph_typestats,
    "objgraph.growth": of_objgraph_growth,
    "objgraph.find_backref_chain": of_objgraph_find_backref_chain,
    "guppy.hpy().heap": of_guppy_heap,
    "pympler summary": of_pympler_summary,
    "pympler asizeof": of_pympler_asizeof,
    "guppy domisize": of_guppy_domisize,
}


def memory_kib(name):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(name + ":"):
                return int(line.split()[1])
    raise KeyError(name)


def forget_peak():
    with open("/proc/self/clear_refs", "w") as clear_refs:
        clear_refs.write("5")


def main():
    name, instances = sys.argv[1], int(sys.argv[2])
    repeat = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    # A global, as a service would have it: the chain to a record begins at this module.
    global records
    records = heap.build(instances)
    call, seen = PEERS[name](records)
    seconds, growth, count = [], [], 0
    for _ in range(repeat):
        forget_peak()
        before = memory_kib("VmRSS")
        start = time.perf_counter()
        result = call()
        seconds.append(time.perf_counter() - start)
        growth.append(memory_kib("VmHWM") - before)
        count = seen(result)
        del result
    print(json.dumps({"seconds": seconds, "grown_kib": max(growth), "saw": count}))


if __name__ == "__main__":
    main()
