# SPDX-License-Identifier: Apache-2.0
"""Fills memory in one way, prints READY and waits.

memory_ways.py WAY, one of the functions below. What it has made is one line of JSON before READY.
"""
import array
import ctypes
import json
import mmap
import sys
import threading
import time

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.calloc.restype = ctypes.c_void_p
LIBC.calloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
MB = 1 << 20
kept = []


def idle():
    return {}


def big_bytes():
    kept.extend(bytes([n + 1]) * (3 * MB) for n in range(10))
    return {"python-objects": 30 * MB}


def lists_and_dicts():
    kept.append([None] * (4 * MB // 8))
    kept.append(dict.fromkeys(range(200000)))
    return {"object-data": 4 * MB + 200000 * 24}


def buffers():
    """Of C types of the standard library; each is a block of malloc."""
    kept.extend(array.array("d", [1.0] * 300) for _ in range(3000))
    kept.extend(ctypes.create_string_buffer(2800) for _ in range(3000))
    kept.extend(open(sys.executable, "rb") for _ in range(500))
    for file in kept[-500:]:
        file.read(1)
    return {"object-data": 3000 * 2400 + 3000 * 2800 + 500 * 4096}


def native():
    kept.extend(LIBC.malloc(5000) for _ in range(4000))
    for block in kept:
        ctypes.memset(block, 1, 5000)
    return {"malloc-used": 4000 * 5016}


def freed():
    blocks = [LIBC.malloc(5000) for _ in range(4000)]
    for block in blocks:
        ctypes.memset(block, 1, 5000)
    kept.append(LIBC.malloc(5000))
    for block in blocks:
        LIBC.free(ctypes.c_void_p(block))
    return {"malloc-free": 4000 * 5016 * 9 // 10}


def threads():
    """Each has a stack that it uses, an arena, and blocks in it."""
    ready = threading.Barrier(7)

    def work():
        kept.extend(LIBC.malloc(3000) for _ in range(300))
        kept.append(bytes(2 * MB))
        ready.wait()
        time.sleep(1000)

    for _ in range(6):
        threading.Thread(target=work, daemon=True).start()
    ready.wait()
    return {"stacks": 6 * 8192}


def mappings():
    """A mapped file, shared memory, private memory that was never touched, and some that was read."""
    with open(sys.executable, "rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    sum(mapped[::4096])
    shared = mmap.mmap(-1, 8 * MB)
    shared[::4096] = bytes(8 * MB // 4096)
    private = mmap.mmap(-1, 8 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    private[: 4 * MB : 4096] = bytes([1]) * (4 * MB // 4096)
    zeros = mmap.mmap(-1, 8 * MB, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    sum(zeros[::4096])
    kept.extend((mapped, shared, private, zeros))
    return {"shared-memory": 8 * MB}


def zeros():
    """Read, never written: the page of zeros is present, but not resident."""
    block = LIBC.calloc(16 * MB, 1)
    kept.append(ctypes.string_at(block, 16 * MB)[:1])
    return {}


def numpy_threads():
    import numpy
    kept.extend(numpy.ones(2 * MB // 8) for _ in range(8))
    kept.append(numpy.zeros(16 * MB))
    started = [threading.Thread(target=numpy.ones(1000).sum) for _ in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return {"object-data": 8 * 2 * MB}


def subinterpreters():
    try:
        import _interpreters as interpreters
        make, run = interpreters.create, interpreters.exec
    except ImportError:
        import _xxsubinterpreters as interpreters
        make, run = interpreters.create, interpreters.run_string
    for _ in range(2):
        source = make()
        run(source, "kept = [object() for _ in range(100000)]")
        kept.append(source)
    return {"python-objects": 2 * 100000 * 16}


def pinned():
    """One survivor in every arena, and in each pool."""
    many = [object() for _ in range(1000000)]
    kept.append(many[::1000])
    return {"free-blocks": 1000000 * 16 * 9 // 10}


def main():
    made = globals()[sys.argv[1]]()
    print(json.dumps(made))
    print("READY", flush=True)
    time.sleep(1000)


if __name__ == "__main__":
    main()
