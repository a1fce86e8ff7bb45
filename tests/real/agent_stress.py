# SPDX-License-Identifier: Apache-2.0
"""What makes hooks of allocators fail: threads, forks amid them, exceptions, generators, signals, moved blocks."""
import os
import random
import signal
import sys
import threading
import time

END = time.monotonic() + float(sys.argv[1])


def generate(n):
    for i in range(n):
        yield [i, str(i) * (i % 50)]


def fail(depth):
    text = "x" * random.randrange(2000)
    if depth:
        fail(depth - 1)
    raise ValueError(text)


def work():
    kept = []
    while time.monotonic() < END:
        kept.extend(generate(200))
        try:
            fail(20)
        except ValueError as error:
            kept.append(error)
        kept.append(bytearray(random.randrange(100000)))
        kept[-1].extend(b"y" * 1000)
        kept.append({i: i for i in range(random.randrange(300))})
        if len(kept) > 2000:
            del kept[:random.randrange(2000)]


def handle(number, frame):
    handle.seen = [str(number)] * 100


signal.signal(signal.SIGALRM, handle)
signal.setitimer(signal.ITIMER_REAL, .003, .003)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
while time.monotonic() < END:
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_REAL, 0)
        END = time.monotonic() + .05
        work()
        os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
for thread in threads:
    thread.join()
signal.setitimer(signal.ITIMER_REAL, 0)
print("DONE")
