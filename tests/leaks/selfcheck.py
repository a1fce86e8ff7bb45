#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does a program of the corpus do what its .json says? Asked from inside, without heapwhy.

    python3 tests/leaks/selfcheck.py tests/leaks/global_cache.py ...
    python3 tests/leaks/selfcheck.py --seconds 12 tests/healthy/*.py

Runs each program with runpy in a child of its own, counts objects by type twice after READY, and
evaluates the expected holder. For a leak the type must grow at the stated rate and the holder with
it; for a healthy program the low-water mark of all objects must not rise.
"""
import argparse
import collections
import gc
import json
import os
import re
import runpy
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import backdrop  # noqa: E402
import expectation  # noqa: E402


def type_name(obj):
    kind = type(obj)
    return expectation.short_type("%s.%s" % (kind.__module__, kind.__qualname__))


def reachable():
    """All tracked objects and all that they refer to, counted by type."""
    counts = collections.Counter()
    todo = gc.get_objects()
    seen = {id(todo), id(counts)}
    while todo:
        obj = todo.pop()
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        counts[type_name(obj)] += 1
        todo.extend(gc.get_referents(obj))
    return counts


def frame_variable(path):
    """Evaluates <main() at app.py:3 in MainThread>.name or <coroutine serve() at app.py:3>.name."""
    form = r"<(?:coroutine )?(\S+)\(\) at ([^:]+):(\d+)(?: in (.+))?>(.*)"
    name, base, line, thread, rest = re.match(form, path).groups()
    names = {t.ident: t.name for t in threading.enumerate()}
    frames = []
    for ident, frame in sys._current_frames().items():
        while frame is not None:
            frames.append((frame, names.get(ident)))
            frame = frame.f_back
    for obj in gc.get_objects():
        if type(obj).__name__ == "coroutine" and obj.cr_frame is not None:
            frames.append((obj.cr_frame, None))
    for frame, owner in frames:
        code = frame.f_code
        if (code.co_name, os.path.basename(code.co_filename)) != (name, base):
            continue
        if code.co_firstlineno == int(line) and owner == thread:
            return eval("frame.f_locals%s" % re.sub(r"^\.(\w+)", r"['\1']", rest))
    raise LookupError("no frame " + path)


def extent(path):
    """How much the holder holds, as a number that grows with it."""
    value = frame_variable(path) if path.startswith("<") else eval(path)
    if callable(value):
        value = value()
    if hasattr(value, "currsize"):
        return value.currsize
    if isinstance(value, int):
        return value
    return len(value) if hasattr(value, "__len__") else None


def probe_paths(case):
    if case.get("check"):
        return [case["check"]]
    return [path for path in case["holders"] + case["also"] if not path.startswith("re:")]


def watch_leak(case, seconds):
    paths = probe_paths(case)
    problems = []

    def measure():
        found = {}
        for path in paths:
            try:
                found[path] = extent(path)
            except (LookupError, AttributeError) as error:
                found[path] = None
                if path == paths[0]:
                    problems.append("%s: %r" % (path, error))
        return time.monotonic(), reachable(), found

    start, counts, extents = measure()
    time.sleep(seconds)
    end, counts_after, extents_after = measure()
    passed = end - start
    grown = counts_after - counts
    rates = {name: number / passed for name, number in grown.items() if number > 5}
    for path in paths:
        if extents[path] is not None and extents_after[path] <= extents[path]:
            problems.append("%s did not grow" % path)
    low, high = case["rate"]
    if case["pattern"] != ["native-reference"]:
        if not any(low <= rates.get(name, 0) <= high for name in case["types"]):
            problems.append("no expected type within rate %s" % case["rate"])
        if sum(rates.values()) > high * 1.3:
            problems.append("all objects together grow by %d/s" % sum(rates.values()))
    top = ", ".join("%s %.0f/s" % item for item in sorted(rates.items(), key=lambda i: -i[1])[:6])
    return problems, "%.0f objects/s: %s" % (sum(rates.values()), top)


def watch_healthy(case, seconds):
    totals = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        totals.append(sum(reachable().values()))
        time.sleep(0.15)
    half = len(totals) // 2
    first, second = min(totals[:half]), min(totals[half:])
    problems = []
    if second > first * 1.01 + 60 and "inconclusive" not in case["verdict"]:
        problems.append("low-water mark rose from %d to %d" % (first, second))
    return problems, "low-water %d then %d, high %d" % (first, second, max(totals))


class ReadySignal:
    """Stands in for stdout and notices READY."""

    def __init__(self, stream):
        self.stream = stream
        self.seen = threading.Event()

    def write(self, text):
        if "READY" in text:
            self.seen.set()
        return len(text)

    def flush(self):
        pass


def observe(case, signal_, seconds):
    signal_.seen.wait(60)
    try:
        watch = watch_leak if "leak" in case["verdict"] else watch_healthy
        problems, summary = watch(case, seconds)
    except BaseException as error:
        problems, summary = [repr(error)], ""
    state = "BAD " if problems else "ok  "
    text = "%s %-24s %s" % (state, case["name"], summary)
    os.write(1, (text + "".join("\n       " + p for p in problems) + "\n").encode())
    os._exit(bool(problems))


def run_inside(program, seconds):
    case = expectation.load(os.path.splitext(program)[0] + ".json", backdrop.RATE)
    sys.stdout = ReadySignal(sys.stdout)
    sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
    watcher = threading.Thread(target=observe, args=(case, sys.stdout, seconds), name="observer")
    watcher.daemon = True
    watcher.start()
    runpy.run_path(program, run_name="__main__")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    if arguments.inside:
        run_inside(arguments.programs[0], arguments.seconds)
        return
    failed = 0
    for program in arguments.programs:
        if os.path.exists(os.path.splitext(program)[0] + ".json"):
            failed += subprocess.call([sys.executable, __file__, "--inside", "--seconds",
                                       str(arguments.seconds), program]) != 0
    print("%d failed" % failed)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
