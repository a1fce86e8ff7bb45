#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What profiling costs for each line, ours and memory_profiler's, in one run and in turns.

    PYTHONPATH=build/site PYTHON bench/lines.py [ROUNDS]     a Python that has memory_profiler

Prints ns for each line: of a loop that is profiled, and of one that a profiled function calls.
"""
import io
import sys
import time

import heapwhy

try:
    import memory_profiler
except ImportError:
    memory_profiler = None

LINES = 1000000  # of ours, and of the plain loop
SLOW_LINES = 10000


def loop(n):
    x = 0
    for i in range(n // 2):
        x += i
    return x


def calls(n):
    return loop(n)


def plain(function):
    return function


def ours(backend):
    return lambda function: heapwhy.profile(function, stream=io.StringIO(), backend=backend)


def theirs(function):
    return memory_profiler.profile(function, stream=io.StringIO())


CASES = {"plain": (plain, LINES), "heapwhy, python": (ours("python"), LINES), "heapwhy, rss": (ours("rss"), LINES // 20)}
if memory_profiler:
    CASES["memory_profiler"] = (theirs, SLOW_LINES)


def cost(decorate, function, lines):
    decorated = decorate(function)
    begin = time.perf_counter()
    decorated(lines)
    return (time.perf_counter() - begin) / lines * 1e9


def main():
    best = {}
    for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 3):
        for name, (decorate, lines) in CASES.items():
            for function in (loop, calls):
                key = name, function.__name__
                best[key] = min(best.get(key, float("inf")), cost(decorate, function, lines))
    for (name, function), ns in best.items():
        print("%-16s %-6s %10.0f ns/line  %7.1f times plain" % (name, function, ns, ns / best["plain", function]))


if __name__ == "__main__":
    main()
