# SPDX-License-Identifier: Apache-2.0
"""Sizes and summaries inside the process: heapwhy's package and Pympler, in one process on one heap.

    sizes.py [INSTANCES] [--repeat N] [--json]

Ours runs first, as Pympler's asizeof() makes a dict for each instance that it sees. Seconds are of processor
time: the machine may be busy.
"""
import argparse
import gc
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def questions(records):
    """[(what, ours, theirs or None), ...]: functions that return how much they saw."""
    import heapwhy
    from heapwhy.compat.pympler import asizeof, muppy, summary, tracker
    from pympler import asizeof as their_asizeof, muppy as their_muppy, summary as their_summary

    def total(rows):
        return sum(row[1] for row in rows)

    watching = tracker.SummaryTracker()
    return [
        ("gc.collect()", lambda: gc.collect(), None),
        ("summarize(get_objects())", lambda: total(summary.summarize(muppy.get_objects())),
         lambda: total(their_summary.summarize(their_muppy.get_objects()))),
        ("summary of everything, no list", lambda: total(muppy._everything()), None),
        ("SummaryTracker.diff()", lambda: len(watching.diff()), None),
        ("muppy.get_objects()", lambda: len(muppy.get_objects()), lambda: len(their_muppy.get_objects())),
        ("heapwhy.deepsizeof(root)", lambda: heapwhy.deepsizeof(records), None),
        ("asizeof.asizeof(root)", lambda: asizeof.asizeof(records), lambda: their_asizeof.asizeof(records)),
    ]


def measured(function):
    from peer import forget_peak, memory_kib
    forget_peak()
    before, start, wall = memory_kib("VmRSS"), time.process_time(), time.perf_counter()
    saw = function()
    row = {"cpu_s": time.process_time() - start, "wall_s": time.perf_counter() - wall,
           "grown_kib": max(memory_kib("VmHWM") - before, 0), "saw": saw}
    gc.collect()
    return row


def inside(instances, repeat):
    """What runs in the child: a row for each question."""
    import heap
    records = heap.build(instances)
    rows = []
    for what, ours, theirs in questions(records):
        row = {"what": what, "ours": min((measured(ours) for _ in range(repeat)), key=lambda one: one["cpu_s"])}
        if theirs:
            row["theirs"] = measured(theirs)
        rows.append(row)
        print(what, "done", file=sys.stderr, flush=True)
    print(json.dumps({"instances": instances, "load": os.getloadavg()[0], "python": sys.version.split()[0], "rows": rows}))


def text(result):
    lines = ["%d instances, Python %s, load average %.0f; seconds of processor time" % (
        result["instances"], result["python"], result["load"]),
        "%-32s %9s %9s %7s %9s %9s" % ("", "heapwhy", "pympler", "ratio", "+MiB", "pympler")]
    for row in result["rows"]:
        ours, theirs = row["ours"], row.get("theirs")
        line = "%-32s %7.2f s" % (row["what"], ours["cpu_s"])
        line += " %7.2f s %6.1fx" % (theirs["cpu_s"], theirs["cpu_s"] / ours["cpu_s"]) if theirs else " " * 18
        line += " %9.0f" % (ours["grown_kib"] / 1024)
        line += " %9.0f" % (theirs["grown_kib"] / 1024) if theirs else ""
        lines.append(line)
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instances", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many counts, of ours")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.inside:
        return inside(args.instances, args.repeat)
    import originals
    python, versions, missing = originals.prepare()
    if "pympler" in missing:
        sys.exit("no Pympler: %s" % missing["pympler"])
    site = os.environ.get("HEAPWHY_SITE", str(HERE.parent / "build" / "site"))
    done = subprocess.run([str(python), __file__, "--inside", str(args.instances), "--repeat", str(args.repeat)],
                          stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "PYTHONPATH": site})
    print(done.stdout if args.json else text(json.loads(done.stdout)))


if __name__ == "__main__":
    main()
