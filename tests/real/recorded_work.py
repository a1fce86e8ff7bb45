# SPDX-License-Identifier: Apache-2.0
"""What makes a recording difficult, and the truth about it: recorded_work.py WHAT...; each WHAT is a function below.

Prints one JSON document; tracemalloc, which must run (-X tracemalloc=64), says where every kept object was made.
"""
import json
import os
import sys
import threading
import tracemalloc

kept = []


def keep(thing):
    kept.append(thing)
    return thing


class Plain:
    def __init__(self, n):
        self.name = "name %d" % n
        self.row = [None] * n


def generate(n):
    for i in range(n):
        yield keep(bytearray(200 + i))


def fail(depth):
    text = keep(bytes(300 + depth))
    if depth:
        fail(depth - 1)
    raise ValueError(len(text))


def objects():
    for i in range(300):
        keep(Plain(i))
    kept.extend(generate(300))
    kept.extend([str(i) * 40 for i in range(300)])
    try:
        fail(30)
    except ValueError as error:
        keep(error)


def deep(n=200):
    keep(bytearray(1000 + n))
    if n:
        deep(n - 1)


def moved():
    for _ in range(50):
        row = keep(bytearray())
        for _ in range(300):
            row.extend(b"0123456789")


def remade():
    """Code that is given back, and other code at its address: lines and names differ, sizes do not."""
    for turn in range(400):
        lines = turn % 7
        source = "\n" * lines + "def made_%d():\n" % (turn % 10) + "    pass\n" * (6 - lines) + "    return bytearray(500)\nmade = made_%d" % (turn % 10)
        space = {}
        exec(compile(source, "remade-%d" % (turn % 3), "exec"), space)
        thing = space["made"]()
        if turn % 4 == 0:
            keep(thing)


def threads():
    def work():
        for i in range(400):
            thing = bytearray(i)
            if i % 20 == 0:
                keep(thing)
    started = [threading.Thread(target=work) for _ in range(4)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()


def churn():
    for i in range(3000):
        bytearray(i % 900)


def close_all():
    """As daemons do."""
    os.closerange(3, 1000)
    keep(open(__file__))
    for fd in range(50, 150):
        os.dup2(kept[-1].fileno(), fd)


def told():
    rows = []
    for thing in kept:
        trace = tracemalloc.get_object_traceback(thing)
        if trace:
            rows.append([id(thing), [[frame.filename, frame.lineno] for frame in reversed(trace)]])
    return {"pid": os.getpid(), "kept": rows, "path": __file__}


def leave():
    print(json.dumps(told()), flush=True)
    os._exit(0)


def killed():
    """After what is told has been written."""
    print(json.dumps(told()), flush=True)
    path = os.environ["HEAPWHY_AGENT_FILE"]
    before = os.stat(path).st_size
    while os.stat(path).st_size == before:
        pass
    os.kill(os.getpid(), 9)


for what in sys.argv[1:]:
    globals()[what]()
leave()
