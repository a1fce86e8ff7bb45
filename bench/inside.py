# SPDX-License-Identifier: Apache-2.0
"""Our functions and objgraph's in one process with the heap, one after the other: inside.py [INSTANCES] [REPEAT]

Needs `make`; objgraph comes from PyPI as for bench.py. Every function of both runs REPEAT times, in turns;
the fastest run of each counts. Ratios of one run can be compared between machines; seconds can't.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import heap
import measure
import originals
from peer import forget_peak, memory_kib

GOALS = {"typestats": 1, "growth": 1, "find_backref_chain": 5, "get_leaking_objects": 20}


def pairs(ours, theirs, records):
    """What is measured: name, a call of either, what of the result must be the same."""
    record = records[len(records) // 2]
    peaks = {ours: {}, theirs: {}}

    def of(module):
        return {
            "typestats": (lambda: module.typestats(), lambda stats: stats["Record"]),
            "growth": (lambda: module.growth(None, peaks[module]), lambda rows: peaks[module]["Record"]),
            "count": (lambda: module.count("Record"), lambda count: count),
            "by_type": (lambda: module.by_type("Record"), len),
            "at": (lambda: module.at(id(record)), id),
            "find_backref_chain": (
                lambda: module.find_backref_chain(record, module.is_proper_module),
                lambda chain: list(map(id, chain)),
            ),
            "find_backref_chain, own predicate": (
                lambda: module.find_backref_chain(record, lambda obj: module.is_proper_module(obj)),
                lambda chain: list(map(id, chain)),
            ),
            "get_leaking_objects": (lambda: module.get_leaking_objects(), lambda found: None),
            "show_backrefs, depth 3": (
                lambda: module.show_backrefs([record], max_depth=3, output=Nowhere()),
                lambda nothing: None,
            ),
            "get_new_ids": (lambda: module.get_new_ids(limit=0), lambda ids: None),
        }

    mine, their = of(ours), of(theirs)
    return [(name, mine[name], their[name]) for name in mine]


class Nowhere:
    def write(self, text):
        pass


def once(call, seen):
    """Seconds, processor seconds, growth of the peak in KiB, what was seen."""
    forget_peak()
    before, processor, start = memory_kib("VmRSS"), time.process_time(), time.perf_counter()
    result = call()
    took = time.perf_counter() - start, time.process_time() - processor
    return (*took, memory_kib("VmHWM") - before, seen(result))


def compete(mine, their, repeat):
    runs = {"ours": [], "theirs": []}
    for _ in range(repeat):
        runs["theirs"].append(once(*their))
        runs["ours"].append(once(*mine))
    result = {"same": len({json.dumps(some[-1][3]) for some in runs.values()}) == 1}
    for who, some in runs.items():
        seconds, processor, grown, _ = zip(*some)
        result[who] = {"seconds": min(seconds), "cpu": min(processor), "grown_kib": max(grown)}
    return result


def measured(instances, repeat):
    """Inside the process with the heap."""
    import heapwhy.compat.objgraph as ours
    import objgraph as theirs

    global records
    records = heap.build(instances)
    for name, mine, their in pairs(ours, theirs, records):
        print(json.dumps([name, compete(mine, their, repeat)]), flush=True)


def table(rows):
    print(f"{'':<36}{'objgraph':>10}{'heapwhy':>10}{'ratio':>8}{'cpu ratio':>11}{'grows by, MiB':>16}")
    for name, result in rows:
        mine, their = result["ours"], result["theirs"]
        ratio, goal = their["seconds"] / mine["seconds"], GOALS.get(name)
        verdict = "" if goal is None else f"  goal {goal}: {'met' if ratio >= goal else 'not met'}"
        grown = f"{their['grown_kib'] / 1024:.0f} / {mine['grown_kib'] / 1024:.0f}"
        print(f"{name:<36}{their['seconds']:>8.3f} s{mine['seconds']:>8.3f} s{ratio:>7.1f}x"
              f"{their['cpu'] / mine['cpu']:>10.1f}x{grown:>16}{'' if result['same'] else '  results differ'}{verdict}")


def main():
    instances, repeat = [*map(int, sys.argv[1:]), *(1_000_000, 3)[len(sys.argv) - 1:]]
    if os.environ.get("HEAPWHY_BENCH_INSIDE"):
        return measured(instances, repeat)
    python, versions, missing = originals.prepare()
    if "objgraph" not in versions:
        sys.exit(f"objgraph is missing: {missing.get('objgraph')}")
    site = os.environ.get("HEAPWHY_SITE", str(measure.HERE.parent / "build" / "site"))
    environment = {**os.environ, "HEAPWHY_BENCH_INSIDE": "1", "PYTHONPATH": site}
    print(f"{instances:,} instances, objgraph {versions['objgraph']}, load {os.getloadavg()[0]:.1f}")
    done = subprocess.run([python, __file__, str(instances), str(repeat)], env=environment, check=True,
                          stdout=subprocess.PIPE, text=True)
    table([json.loads(line) for line in done.stdout.splitlines()])


if __name__ == "__main__":
    main()
