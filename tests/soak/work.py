# SPDX-License-Identifier: Apache-2.0
"""Everything at once, for some seconds: work.py SECONDS. Threads, forks, exceptions, generators, signals, extension modules."""
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time

try:
    import numpy
except ImportError:
    numpy = None
try:
    import lxml.etree as etree
except ImportError:
    etree = None

END = time.monotonic() + float(sys.argv[1])


def generate(n):
    for i in range(n):
        try:
            yield [i, str(i) * (i % 50)]
        finally:
            bytearray(i)


def fail(depth):
    text = "x" * random.randrange(2000)
    if depth:
        fail(depth - 1)
    raise ValueError(text)


def caught():
    try:
        fail(random.randrange(150))
    except ValueError as error:
        return error


def left_off():
    generator = generate(100)
    next(generator)
    return generator


def made_code():
    space = {}
    exec("def made(n):\n%s    return [n] * n\n" % ("    n += 1\n" * random.randrange(9)), space)
    return space["made"](20)


def documents():
    return json.loads(json.dumps({str(i): [i, i / 3, None, "ä" * i] for i in range(200)}))


def table():
    """Only where nobody forks meanwhile: SQLite's own lock would stay locked in the child."""
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.execute("create table t (a, b)")
        base.executemany("insert into t values (?, ?)", ((i, str(i) * 9) for i in range(300)))
        return base.execute("select * from t order by b").fetchall()


def arrays():
    return [numpy.arange(n) * 1.5 for n in range(100)] if numpy else []


def trees():
    return etree.fromstring("<a>%s</a>" % ("<b c='1'>text</b>" * 200)) if etree else None


def grown():
    row = bytearray()
    for _ in range(200):
        row += b"y" * random.randrange(500)
    return row


MAKERS = [lambda: list(generate(200)), caught, left_off, made_code, documents, arrays, trees, grown]


def work(end):
    kept = []
    while time.monotonic() < end:
        kept.append(random.choice(MAKERS)())
        if len(kept) > 300:
            del kept[:random.randrange(300)]


def handle(number, frame):
    handle.seen = [str(number)] * 100


def child():
    pid = os.fork()
    if not pid:
        signal.setitimer(signal.ITIMER_REAL, 0)
        work(time.monotonic() + .05)
        os._exit(7)
    assert os.waitpid(pid, 0)[1] == 7 << 8


signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, .003, .003)
threads = [threading.Thread(target=work, args=(END,)) for _ in range(3)]
for thread in threads:
    thread.start()
while time.monotonic() < END:
    child()
    table()
    subprocess.run([sys.executable, "-S", "-c", "x = [str(i) for i in range(1000)]"], check=True)
    threading.Thread(target=documents).start()
for thread in threads:
    thread.join()
signal.setitimer(signal.ITIMER_REAL, 0)
print("DONE")
