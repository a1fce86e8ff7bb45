# SPDX-License-Identifier: Apache-2.0
"""Heap sets against guppy3, in turns in one process: bench/sets.py [INSTANCES] [ROUNDS]

Run it with the interpreter of the peers' environment and build/site in PYTHONPATH (see originals.py). For each
question: the best processor time of the rounds, the ratio, and by how much resident memory rose at most.
"""
import gc
import sys
import time

import heap
from guppy import hpy
from peer import forget_peak, memory_kib

import heapwhy


def questions(records, hp):
    """name, ours, theirs"""
    middle, some = records[len(records) // 2], [record.pair for record in records[:1000]]
    return [
        ("heap()", heapwhy.heap, hp.heap),
        ("heap() by type", lambda: heapwhy.heap().by_type(), lambda: hp.heap().bytype.partition),
        ("what a list dominates", lambda: heapwhy.heapset([records]).dominated_size, lambda: hp.iso(records).domisize),
        ("shortest paths to one", lambda: len(heapwhy.heapset([middle]).shortest_paths()),
         lambda: str(hp.iso(middle).sp)),
        ("reference pattern of 1,000", lambda: repr(heapwhy.heapset(some).reference_pattern()),
         lambda: str(hp.iso(*some).rp)),
    ]


def measure(call):
    """Seconds of processor time, and KiB that the process grew by at most."""
    gc.collect()
    forget_peak()
    before, start = memory_kib("VmRSS"), time.process_time()
    result = call()
    seconds = time.process_time() - start
    grown = memory_kib("VmHWM") - before
    del result
    return seconds, grown


def main():
    global records  # as a service would have it: a way to it begins at this module
    records = heap.build(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    hp = hpy()
    print("%-28s %9s %9s %7s %10s %10s" % ("", "heapwhy", "guppy3", "ratio", "heapwhy", "guppy3"))
    for name, ours, theirs in questions(records, hp):
        mine, peers = [], []
        for _ in range(rounds):
            mine.append(measure(ours))
            peers.append(measure(theirs))
        (a, a_kib), (b, b_kib) = min(mine), min(peers)
        print("%-28s %7.2f s %7.2f s %6.1fx %6.0f MiB %6.0f MiB" % (
            name, a, b, b / a, max(kib for _, kib in mine) / 1024, max(kib for _, kib in peers) / 1024), flush=True)


if __name__ == "__main__":
    main()
