#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What it costs a program that its allocations are written down: heapwhy run, tracemalloc, memray, in turns.

    HEAPWHY=build/heapwhy PYTHON bench/allocations.py [ROUNDS]     a Python that has memray, else without it

Processor time of two programs, each time the least of all rounds, as a ratio to that without a tool:

    mix     what programs do: JSON, regular expressions, pickle, sorting, classes, text
    churn   two small blocks taken and given back for each turn of a loop, and nothing else
"""
import importlib.util
import os
import subprocess
import sys
import tempfile

MIX = """
import json, pickle, re
class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y
    def norm(self):
        return (self.x * self.x + self.y * self.y) ** .5
rows = [{"id": i, "name": "user %d" % i, "tags": ["a", "b", str(i)], "at": i / 7} for i in range(500)]
word = re.compile(r"(\\w+) (\\d+)")
for turn in range(40):
    text = json.dumps(rows)
    back = json.loads(text)
    back.sort(key=lambda row: -row["at"])
    pickle.loads(pickle.dumps(back))
    sum(len(match.group(2)) for match in word.finditer(text))
    sum(Point(i, turn).norm() for i in range(5000))
    index = {row["name"]: row for row in back}
    " ".join(sorted(index)).upper().split()
    [[i * j for i in range(60)] for j in range(60)]
"""
CHURN = """
for i in range(3000000):
    x = [i]
"""
CLOCK = "import time; began = time.process_time()\n%s\nprint(time.process_time() - began)\n"


def tools(folder):
    """{name: (words before the script, variables)}"""
    heapwhy = os.environ.get("HEAPWHY", "build/heapwhy")
    found = {
        "without": ([sys.executable], {}),
        "heapwhy run": ([heapwhy, "run", sys.executable], {}),
        "heapwhy run --rate 512KiB": ([heapwhy, "run", "--rate", "512KiB", sys.executable], {}),
        "heapwhy run --every": ([heapwhy, "run", "--every", "-o", os.path.join(folder, "every.hwrec"), sys.executable], {}),
        "tracemalloc, 1 frame": ([sys.executable], {"PYTHONTRACEMALLOC": "1"}),
        "tracemalloc, 25 frames": ([sys.executable], {"PYTHONTRACEMALLOC": "25"}),
    }
    if importlib.util.find_spec("memray"):
        memray = [sys.executable, "-m", "memray", "run", "-q", "-f", "-o", os.path.join(folder, "memray.bin")]
        found["memray"] = (memray, {})
        found["memray, Python's allocators"] = (memray + ["--trace-python-allocators"], {})
    return found


def seconds(words, variables, script):
    done = subprocess.run(words + [script], env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout.split()[-1])


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        known = tools(folder)
        for program, code in ("mix", MIX), ("churn", CHURN):
            script = os.path.join(folder, program + ".py")
            with open(script, "w") as to:
                to.write(CLOCK % code)
            least = {name: float("inf") for name in known}
            for _ in range(rounds):
                for name, (words, variables) in known.items():
                    least[name] = min(least[name], seconds(words, variables, script))
            for name, best in least.items():
                print("%-6s %-28s %7.3f s %7.2f x" % (program, name, best, best / least["without"]), flush=True)


if __name__ == "__main__":
    main()
