#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How near heapwhy run's estimates are to the truth: heaps of known make, asked from outside.

    HEAPWHY=build/heapwhy PYTHON bench/estimates.py [MB [RUNS [RATE]]]

A program allocates at 18 lines, in random order, until MB are in use (300), among as many blocks that it forgets again; each line has
from 1 to 20 percent of the bytes. What it kept is counted by the program itself. Then heapwhy sites says what it thinks. For each line: what
it truly has, how many of its blocks were in the sample, and how far the estimates of its bytes were off, over all RUNS (5).
"""
import json
import os
import subprocess
import sys
import tempfile

# percent of the bytes, what is made
# Sizes are what sys.getsizeof() says. A type of which Python keeps freed ones is made at one line alone: what is taken from there is not
# allocated again.
LINES = [(20, "bytes(200)"), (13, "(i, None)"), (10, "i * 1.5"), (9, "'%d' % i"), (8, "[None] * 40"), (6, "{1: i}"),
         (5, "bytes(1000)"), (5, "Slots()"), (4, "str(i) * 20"), (4, "bytearray(3000)"), (3, "bytes(2 + i % 16)"), (3, "(i,) * 9"),
         (2, "bytes(70)"), (2, "{i}"), (2, "bytes(90)"), (2, "Large()"), (1, "bytes(450)"), (1, "bytes(20000)")]
BEGIN = """
import json, random, sys, time
class Slots:
    __slots__ = "a", "b", "c"
class Large:
    __slots__ = tuple("abcdefghijkl")
"""
END = """
makers = [%s]
wanted = [%s]
each = [sum(sys.getsizeof(make(i + 1000)) for i in range(100)) / 100 for make in makers]
counts = [int(share * %d * 1e6 / 100 / one) for share, one in zip(wanted, each)]
order = [number for number, count in enumerate(counts) for _ in range(count)]
random.shuffle(order)
kept = [[None] * count for count in counts]
filled = [0] * len(counts)
for i, number in enumerate(order):
    kept[number][filled[number]] = makers[number](i)
    filled[number] += 1
    makers[order[-i]](i)
exact = [sum(map(sys.getsizeof, things)) for things in kept]
print(json.dumps(exact), flush=True)
time.sleep(600)
"""


def program(megabytes):
    makers = "".join("def make_%d(i):\n    return %s\n" % (n, what) for n, (_, what) in enumerate(LINES))
    end = END % (", ".join("make_%d" % n for n in range(len(LINES))), ", ".join(str(share) for share, _ in LINES), megabytes)
    return BEGIN + makers + end


def line_of(text, n):
    lines = text.split("\n")
    return lines.index("def make_%d(i):" % n) + 2


def one_run(heapwhy, script, text, rate):
    """For each line: (bytes in truth, estimated, blocks in the sample on average)"""
    words = [heapwhy, "run"] + (["--rate", rate] if rate else []) + [sys.executable, script]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        exact = json.loads(process.stdout.readline())
        told = json.loads(subprocess.run([heapwhy, "sites", "--json", "--all", str(process.pid)],
                                         stdout=subprocess.PIPE, text=True, check=True).stdout)
        process.kill()
    rows = {row["line"]: row for row in told["sites"] if row["file"].endswith("estimated.py")}
    return told, [(exact[n], rows[line_of(text, n)]["bytes"] if line_of(text, n) in rows else 0) for n in range(len(LINES))]


def main():
    megabytes, runs = (int(sys.argv[i]) if len(sys.argv) > i else standard for i, standard in ((1, 300), (2, 5)))
    rate = sys.argv[3] if len(sys.argv) > 3 else None
    heapwhy = os.environ.get("HEAPWHY", "build/heapwhy")
    errors = [[] for _ in LINES]
    with tempfile.TemporaryDirectory() as folder:
        script, text = os.path.join(folder, "estimated.py"), program(megabytes)
        with open(script, "w") as to:
            to.write(text)
        for _ in range(runs):
            told, rows = one_run(heapwhy, script, text, rate)
            for n, (exact, estimate) in enumerate(rows):
                errors[n].append(100 * (estimate - exact) / exact)
            print("rate now %d, %d samples" % (told["rate"], told["samples"]), flush=True)
    total = sum(exact for exact, _ in rows)
    for n, (share, what) in enumerate(LINES):
        print("%5.1f %%  %-16s mean %+6.2f %%  largest %5.2f %%" % (100 * rows[n][0] / total, what, sum(errors[n]) / runs, max(map(abs, errors[n]))))
    flat = sorted(abs(error) for row in errors for error in row)
    print("%d estimates: %.2f %% off on average, %.2f %% at most, %d beyond 5 %%" % (
        len(flat), sum(flat) / len(flat), flat[-1], sum(error > 5 for error in flat)))


if __name__ == "__main__":
    main()
