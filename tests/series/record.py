#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Records how the memory of programs goes up and down, as `heapwhy watch --json` tells it.

    tests/series/record.py [--for SECONDS] [PROGRAM.py...]

Starts each program (all, when none is named), watches it from its first second on, and writes what
heapwhy says to tests/data/series/. Lines that the program prints become events of their own: leaks
say when they begin. Programs run twenty at a time.
"""
import argparse
import concurrent.futures
import datetime
import glob
import json
import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = os.path.join(ROOT, "tests", "data", "series")
HEAPWHY = os.environ.get("HEAPWHY") or os.path.join(ROOT, "build", "heapwhy")
AT_ONCE = 20


def now():
    at = datetime.datetime.now(datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def note_lines(program, lines):
    for line in program.stdout:
        lines.append({"event": "note", "at": now(), "text": line.decode().strip()})


def record(path, seconds):
    name = os.path.relpath(path, HERE)[:-len(".py")]
    lines = []
    program = subprocess.Popen(["/usr/bin/python3", path], stdout=subprocess.PIPE,
                               env={**os.environ, "PYTHONPATH": HERE})
    reader = threading.Thread(target=note_lines, args=(program, lines))
    reader.start()
    try:
        watch = subprocess.run([HEAPWHY, "watch", "--json", "--for", "%ds" % seconds, str(program.pid)],
                               stdout=subprocess.PIPE, check=True)
    finally:
        program.kill()
        program.wait()
        reader.join()
    lines += [json.loads(line) for line in watch.stdout.splitlines()]
    lines = [line for line in lines if line["event"] in ("process", "sample", "note")]
    lines.sort(key=lambda line: line["at"])
    with open(os.path.join(DATA, name + ".jsonl"), "w", encoding="utf-8") as file:
        for line in lines:
            print(json.dumps(line, separators=(",", ":")), file=file)
    return name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--for", type=int, default=240, dest="seconds")
    parser.add_argument("programs", nargs="*")
    args = parser.parse_args()
    programs = [os.path.abspath(path) for path in args.programs] or sorted(
        glob.glob(os.path.join(HERE, "*", "*.py")))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for name in pool.map(lambda path: record(path, args.seconds), programs):
            print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
