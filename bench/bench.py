# SPDX-License-Identifier: Apache-2.0
"""Measures heapwhy and its peers on the same heap: make bench, or bench.py [options]

Nothing here fails because something is slow: limits are goals, printed beside the figures. Ratios of
one run can be compared between machines; seconds can't.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import measure
import originals
import report

HEAPWHY = os.environ.get("HEAPWHY", str(measure.HERE.parent / "build" / "heapwhy"))
LARGE = 5_000_000


def snapshots(target, folder, repeat):
    """The figures of `heapwhy snapshot`, and the file."""
    file = folder / "a.snapshot"
    before = target.memory()
    runs = measure.run([HEAPWHY, "snapshot", "--json", target.pid, "-o", file], repeat)
    after = target.memory()
    best = runs[0]
    objects, rss = best.json["objects"], best.json["snapshot"]["rss_bytes"]
    pause = min(run.json["snapshot"]["pause_ms"] for run in runs)
    return file, {
        "objects": objects,
        "references": best.json["references"],
        "object_bytes": best.json["bytes"],
        "rss_bytes": rss,
        "wall_s": best.wall,
        "cpu_s": min(run.cpu for run in runs),
        "memory_per_object": min(run.peak_bytes for run in runs) / objects,
        "file_per_object": best.json["file_bytes"] / objects,
        "pause_ms": pause,
        "pause_worst_ms": max(run.json["snapshot"]["pause_ms"] for run in runs),
        "pause_ms_per_gib": pause / (rss / 2**30),
        "target_rss_grown": after["Rss"] - before["Rss"],
        "target_dirty_grown": after["Private_Dirty"] - before["Private_Dirty"],
    }


def seconds(repeat, *command):
    return measure.run([HEAPWHY, *command], repeat)[0].wall


def diagnosis(target):
    """Seconds from the last freeze to the answer."""
    run = measure.run_once([HEAPWHY, "diagnose", "--json", "--snapshots=3", "--interval=1s", target.pid])
    ended = time.time()
    last = run.json["snapshots"][-1]["at"]
    return ended - datetime.fromisoformat(last.replace("Z", "+00:00")).timestamp()


def weighing(file, repeat):
    """The whole way from a file: types, owners and retained sizes, suspects."""
    runs = {
        name: measure.run([HEAPWHY, name, "--json", file], repeat)
        for name in ("types", "retained", "diagnose")
    }
    objects = runs["types"][0].json["objects"]
    return runs, {
        "file_cpu_s": sum(min(run.cpu for run in some) for some in runs.values()),
        "file_memory_per_object": max(min(run.peak_bytes for run in some) for some in runs.values())
        / objects,
    }


def questions(target, file, folder, repeat):
    again = folder / "b.snapshot"
    measure.run_once([HEAPWHY, "snapshot", target.pid, "-o", again])
    return {
        "tree_file": seconds(repeat, "tree", "--json", file),
        "holders_file": seconds(repeat, "holders", "--json", file, target.address),
        "holders_type_file": seconds(repeat, "holders", "--json", file, "__main__.Record"),
        "diff_files": seconds(repeat, "diff", "--json", file, again),
        "types_pid": seconds(repeat, "types", "--json", target.pid),
        "retained_pid": seconds(repeat, "retained", "--json", target.pid, target.container),
        "holders_pid": seconds(repeat, "holders", "--json", target.pid, target.address),
        "diagnose_after_last": diagnosis(target),
    }


def heapwhy_figures(instances, repeat):
    with measure.target(instances) as target, tempfile.TemporaryDirectory() as folder:
        file, figures = snapshots(target, Path(folder), repeat)
        figures["instances"] = instances
        figures["seconds"] = questions(target, file, Path(folder), repeat)
        runs, more = weighing(file, repeat)
        figures |= more
        figures["seconds"] |= {f"{name}_file": some[0].wall for name, some in runs.items()}
    return figures


def peer_figures(python, versions, instances, repeat):
    rows = {}
    for name, package in report.PEERS:
        if package and package not in versions:
            continue
        # pympler takes a minute; once tells enough.
        found = measure.peer(python, name, instances, 1 if package == "pympler" else repeat)
        if found:
            rows[name] = found
    return rows


def machine():
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=1_000_000)
    parser.add_argument("--large", action="store_true", help="measure 5 million instances, too")
    parser.add_argument(
        "--peer-instances", type=int, help="let heapwhy and its peers compete on a heap of this size"
    )
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many counts")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def progress(text):
    print(text, file=sys.stderr, flush=True)


def main():
    args = options()
    if not shutil.which(HEAPWHY):
        sys.exit(f"{HEAPWHY} is not built; run make")
    result = {"machine": machine(), "heaps": [], "versions": {}, "missing": {}, "peers": {}}
    sizes = [args.instances] + ([LARGE] if args.large and args.instances != LARGE else [])
    arena = args.peer_instances or args.instances
    if arena not in sizes and not args.no_peers:
        sizes.append(arena)
    for instances in sizes:
        progress(f"heapwhy, {instances} instances ...")
        result["heaps"].append(heapwhy_figures(instances, args.repeat))
    result["arena"] = sizes.index(arena) if arena in sizes else 0
    if not args.no_peers:
        progress(f"peers, {arena} instances ...")
        python, result["versions"], result["missing"] = originals.prepare()
        result["peers"] = peer_figures(python, result["versions"], arena, args.repeat)
    result["machine"]["load_after"] = os.getloadavg()[0]
    print(json.dumps(result, indent=2) if args.json else report.text(result))


if __name__ == "__main__":
    main()
