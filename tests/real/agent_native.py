# SPDX-License-Identifier: Apache-2.0
"""C code that keeps known amounts. argv: library, what to do, and for how long or how much."""
import ctypes
import os
import sys
import threading
import time

LIBRARY = ctypes.CDLL(sys.argv[1])
LIBRARY.keep.argtypes = [ctypes.c_int, ctypes.c_size_t]
LIBRARY.give_back.argtypes = [ctypes.c_int, ctypes.c_size_t]
for of_mapping in LIBRARY.keep_mapping, LIBRARY.cut_mapping, LIBRARY.give_back_mapping:
    of_mapping.argtypes = [ctypes.c_size_t]
LIBRARY.keep_mapping.restype = ctypes.c_void_p


def handler(count, size):
    LIBRARY.keep(count, size)  # kept


def map_some(count, size):
    for _ in range(count):
        LIBRARY.keep_mapping(size)
        LIBRARY.cut_mapping(size)
        LIBRARY.give_back_mapping(size)


def amounts():
    own = [bytes(5000) for _ in range(4000)] + [[number] for number in range(100000)]
    handler(2000, 5000)
    LIBRARY.give_back(20000, 5000)
    LIBRARY.keep_of_each_kind(1000)
    map_some(100, 1 << 17)
    LIBRARY.keep_in_threads(4, 500)
    thread = threading.Thread(target=handler, args=(1000, 2000))
    thread.start()
    thread.join()
    return own


def ready():
    print("READY", flush=True)
    time.sleep(1000)


def fork():
    handler(1000, 5000)
    child = os.fork()
    if not child:
        handler(1000, 5000)
        time.sleep(1000)
    print(child, flush=True)
    time.sleep(.5)
    ready()


def stress():
    end = time.monotonic() + float(sys.argv[3])
    churners = [threading.Thread(target=lambda: [LIBRARY.churn(3) for _ in iter(lambda: time.monotonic() < end, False)])
                for _ in range(2)]
    for churner in churners:
        churner.start()
    while time.monotonic() < end:
        child = os.fork()
        if not child:
            LIBRARY.churn(2)
            os._exit(7)
        assert os.waitpid(child, 0)[1] == 7 << 8
    for churner in churners:
        churner.join()
    print("DONE")


def greenlets():
    import greenlet

    def deep(n, then):
        return then() if not n else deep(n - 1, then)

    switching = ctypes.CFUNCTYPE(None)

    def worker(n):
        for turn in range(40):
            back = switching(lambda: deep(turn % 7, greenlet.getcurrent().parent.switch))
            deep(n % 11, lambda: LIBRARY.call(back))  # in a greenlet
            handler(5, 2000 + n)
    workers = [greenlet.greenlet(worker) for _ in range(30)]
    for turn in range(41):
        for n, one in enumerate(workers):
            one.switch(n) if not turn else one.switch()
    assert all(one.dead for one in workers)
    ready()


def leak():
    handler(3000, 900)
    print("READY", flush=True)
    while True:
        handler(3, 9000)
        LIBRARY.give_back(1000, 9000)
        time.sleep(.005)


def leak_mappings():
    print("READY", flush=True)
    while True:
        map_some(1, 1 << 17)
        ctypes.memset(LIBRARY.keep_mapping(1 << 17), 1, 1 << 17)
        time.sleep(.01)


what = {"fork": fork, "stress": stress, "greenlets": greenlets, "leak": leak, "leak_mappings": leak_mappings}
if sys.argv[2] == "amounts":
    own = amounts()
    ready()
what[sys.argv[2]]()
