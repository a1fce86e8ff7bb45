# SPDX-License-Identifier: Apache-2.0
"""Fills the allocators, says what they tell of themselves, prints READY and waits.

allocators.py WAY, one of the functions below. What they tell is one line of JSON before READY.
"""
import ctypes
import json
import os
import re
import sys
import tempfile
import threading
import time

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]
kept = []


class Mallinfo2(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
        "fordblks", "keepcost")]


def idle():
    pass


def sparse():
    """Half of the blocks of each size are free again, one in each of some pools is used."""
    for size in range(1, 500, 7):
        kept.extend(bytes(size) for _ in range(400))
    many = [object() for _ in range(200000)]
    kept.append(many[::300])
    del many, kept[:-1:2]


def native():
    """Chunks in use, in fastbins, in the thread's cache, in bins; and mappings."""
    blocks = [LIBC.malloc(size) for size in range(24, 3000, 8) for _ in range(30)]
    kept.extend(blocks[::2])
    for block in blocks[1::2]:
        LIBC.free(block)
    kept.append([LIBC.malloc(300000 + i * 5000) for i in range(20)])
    kept.append(bytearray(5000000))


def threads():
    """Arenas of their own, and what each thread keeps."""
    started = threading.Barrier(5)

    def work():
        blocks = [LIBC.malloc(size) for size in range(24, 1200, 8) for _ in range(20)]
        kept.append(blocks[::3])
        for block in blocks[1::3]:
            LIBC.free(block)
        started.wait()
        time.sleep(1000)

    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    started.wait()


def subinterpreter():
    try:
        import _interpreters as interpreters
        source = interpreters.create("isolated")
        interpreters.exec(source, "kept = [object() for _ in range(100000)]")
    except ImportError:
        import _xxsubinterpreters as interpreters
        source = interpreters.create()
        interpreters.run_string(source, "kept = [object() for _ in range(100000)]")
    kept.append(source)


def malloc_stats():
    """What sys._debugmallocstats() prints: blocks in use by size, arenas."""
    with tempfile.TemporaryFile() as file:
        saved = os.dup(2)
        os.dup2(file.fileno(), 2)
        sys._debugmallocstats()
        os.dup2(saved, 2)
        os.close(saved)
        file.seek(0)
        text = file.read().decode()
    classes = {}
    for line in text.splitlines():
        row = re.match(r"\s*\d+\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", line)
        if row:
            classes[int(row[1])] = int(row[3])
    arenas = re.search(r"# arenas allocated current\s*=\s*([\d,]+)", text)
    return classes, int(arenas[1].replace(",", "")) if arenas else 0


def malloc_arenas():
    """What malloc_info() says: how many arenas, chunks in bins and fastbins."""
    with tempfile.NamedTemporaryFile() as file:
        LIBC.fopen.restype = ctypes.c_void_p
        stream = ctypes.c_void_p(LIBC.fopen(file.name.encode(), b"w"))
        LIBC.malloc_info(0, stream)
        LIBC.fclose(stream)
        text = file.read().decode()
    total = text.rpartition("</heap>")[2]
    return {"arenas": text.count("<heap "),
            "fast": [int(n) for n in re.search(r'"fast" count="(\d+)" size="(\d+)"', total).groups()],
            "rest": [int(n) for n in re.search(r'"rest" count="(\d+)" size="(\d+)"', total).groups()],
            "mmap": [int(n) for n in re.search(r'"mmap" count="(\d+)" size="(\d+)"', total).groups()]}


def main():
    globals()[sys.argv[1]]()
    LIBC.mallinfo2.restype = Mallinfo2
    told = {"allocated": sys.getallocatedblocks()}
    told["classes"], told["arenas"] = malloc_stats()
    told["glibc"] = malloc_arenas()
    info = LIBC.mallinfo2()
    told["info"] = {name: getattr(info, name) for name, _ in info._fields_}
    print(json.dumps(told))
    print("READY", flush=True)
    time.sleep(1000)


if __name__ == "__main__":
    main()
