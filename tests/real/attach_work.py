# SPDX-License-Identifier: Apache-2.0
"""Works or waits in one way until a line comes: attach_work.py WAY. "grow" allocates a known amount, "end" ends it.

In the end it says how often something was not as it should be, and what its main thread's signals are.
"""
import asyncio
import hashlib
import os
import select
import signal
import sys
import threading
import time

BLOCKS, HEAD = 20000, sys.getsizeof(b"")
bad, kept, ended = [], [], threading.Event()
r, w = os.pipe()


def grow():
    return [bytes(1000 - HEAD) for _ in range(BLOCKS)]  # 1,000 bytes each


def asked():
    return select.select([0], [], [], 0)[0]


def compute():
    table = {i: [i] * (i % 40) for i in range(400)}
    if sum(map(len, table.values())) != sum(i % 40 for i in range(400)):
        bad.append("sum")


def allocate():
    blocks = [bytearray(i) for i in range(1000, 100000, 1111)]
    if sum(map(len, blocks)) != sum(range(1000, 100000, 1111)):
        bad.append("blocks")


def timed(wait, seconds):
    begin = time.monotonic()
    if wait(seconds) or time.monotonic() - begin < seconds * .999:
        bad.append("time")


def poll_for(seconds):
    poll = select.poll()
    poll.register(r, select.POLLIN)
    return poll.poll(seconds * 1000)


def fork():
    child = os.fork()
    if not child:
        allocate()
        os._exit(len(bad))
    if os.waitpid(child, 0)[1]:
        bad.append("child")


def long_call():
    if hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20000).hex()[:8] != LONG_CALL:
        bad.append("hash")


def registers():
    import ctypes
    if ctypes.CDLL(sys.argv[2]).spin(500):
        bad.append("registers")


WAYS = {"busy": compute, "sleep": lambda: timed(time.sleep, .02), "poll": lambda: timed(poll_for, .02),
        "select": lambda: timed(lambda seconds: select.select([r], [], [], seconds)[0], .02),
        "read": lambda: None, "call": long_call, "fork": fork, "threads": compute, "registers": registers,
        "asyncio": lambda: asyncio.run(asyncio.sleep(.01))}
way = sys.argv[1]
LONG_CALL = hashlib.pbkdf2_hmac("sha256", b"x", b"y", 20000).hex()[:8] if way == "call" else None


def work():
    while not ended.is_set():
        compute()
        allocate()


def signals():
    handlers = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
    blocked = sorted(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    if not os.path.exists("/proc/self"):
        return handlers, blocked
    with open("/proc/thread-self/status") as file:
        return handlers, blocked, [line for line in file if line.startswith(("SigBlk", "SigIgn", "SigCgt"))]


signal.signal(signal.SIGUSR1, lambda *args: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
threads = [threading.Thread(target=work) for _ in range(5 if way == "threads" else 0)]
for thread in threads:
    thread.start()
before = signals()  # the first thread brings a handler of the C library's
print("READY", flush=True)
while True:
    while way != "read" and not asked():
        WAYS[way]()
    if os.read(0, 100).strip() != b"grow":
        break
    kept.append(grow())
    print("GROWN", flush=True)
ended.set()
for thread in threads:
    thread.join()
if signals() != before:
    bad.append("signals")
print("BAD", len(bad), *sorted(set(bad)), flush=True)
