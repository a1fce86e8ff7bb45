# SPDX-License-Identifier: Apache-2.0
"""Whether a function leaves something behind: called again and again, what the process has must not grow.

    python -S leakcheck.py CASES CALLS    calls each case of tests/inside/leakcases/CASES.py; tells what grew
    python -S leakcheck.py                tells which public functions no case of any file calls

Both write files into the current directory. heapwhy must be in $PATH.

Three figures are taken, each of them exact:

    references  of all objects: sys.gettotalrefcount(), in debug builds of Python
    blocks      of Python's allocator: sys.getallocatedblocks()
    bytes       that malloc has given out: mallinfo2() of glibc 2.33 and later. $GLIBC_TUNABLES must switch malloc's
                caches of threads off (ENVIRONMENT): what they hold counts as given out

Under the address sanitizer, which finds other errors, bytes are not counted: it puts what is freed aside, so each object
has another address, and Python's cache of methods takes a place for each address of a name.

The calls are made in rounds. A leak grows in each; what a cache, a table or the interpreter takes once does not. A
leak of one for each call shows with any number of calls; with 10,000 one for 500 calls does.
A file of cases has CASES, {name: function}, and may have SLOW_CASES, of 10 to 50 ms, which are called a tenth as often,
and FORK_CASES, which take a snapshot and ask it, called a hundredth as often: both halves are cases of their own.
"""
import ctypes
import gc
import importlib
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "leakcases")
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
ROUNDS, WARM_UP = 4, 100
ATTEMPTS, MORE_CALLS = 4, 2000  # what seems to grow is called more often: what takes some calls to settle does settle
TABLES = {"CASES": 1, "SLOW_CASES": 10, "FORK_CASES": 100}
NOISE = 5  # blocks or references that come and go by themselves
SMALLEST_CHUNK = 32  # bytes: of malloc's with their header


class _Mallinfo2(ctypes.Structure):
    """<malloc.h>"""
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")]


def _bytes_counter():
    """The function that tells how many bytes malloc has given out; one that says 0 where nothing tells."""
    library = ctypes.CDLL(None)
    mallinfo = getattr(library, "mallinfo2", None)
    if mallinfo is None or hasattr(library, "__asan_init"):
        return lambda: 0
    mallinfo.restype = _Mallinfo2

    def count():
        told = mallinfo()
        return told.uordblks + told.hblkhd

    return count


_references = getattr(sys, "gettotalrefcount", lambda: 0)
_bytes = _bytes_counter()


def _figures():
    gc.collect()
    return _references(), sys.getallocatedblocks(), _bytes()


def _minus(now, before):
    return tuple(a - b for a, b in zip(now, before))


def grown(function, calls):
    """(references, blocks, bytes) that each round has left behind, at least; and how many calls a round has."""
    rounds = min(ROUNDS, calls)
    in_round = calls // rounds
    for _ in range(min(WARM_UP, calls)):
        function()
    least, before = None, _figures()
    for _ in range(rounds):
        for _ in range(in_round):
            function()
        now = _figures()
        left = _minus(now, before)
        least = left if least is None else tuple(map(min, least, left))
        before = now
    return least, in_round


def leak_of(function, calls):
    """What a function leaves behind, in words; "" when nothing. A leak is there every time that one looks."""
    for attempt in range(ATTEMPTS):
        least, in_round = grown(function, max(calls, min(calls * 4 ** attempt, MORE_CALLS)))
        allowed = min(in_round // 2, NOISE)
        if least[0] <= allowed and least[1] <= allowed and least[2] <= SMALLEST_CHUNK * allowed:
            return ""
    return "%d references, %d blocks, %d bytes more after each %d calls" % (least + (in_round,))


def load(name):
    """[({case: function}, how many times fewer calls), ...]"""
    sys.path[:0] = [CASES] if CASES not in sys.path else []
    cases = importlib.import_module(name)
    return [(getattr(cases, table, {}), part) for table, part in TABLES.items()]


def case_files():
    return sorted(name[:-3] for name in os.listdir(CASES) if name.endswith(".py") and name != "things.py")


def check(name, calls):
    """{case: what it leaves behind} of a file of cases; tells of each."""
    left = {}
    for cases, part in load(name):
        for case, function in cases.items():
            began, count = time.perf_counter(), max(2, calls // part)
            leak = leak_of(function, count)
            print("%-10s %-44s %6d calls %8.2f s  %s" % (
                name, case, count, time.perf_counter() - began, leak or "no growth"), flush=True)
            if leak:
                left[case] = leak
    return left


def main(args):
    if args:
        left = check(args[0], int(args[1]))
        sys.exit("\n".join("%s: %s" % item for item in left.items()) or 0)
    from surface import uncalled
    sys.exit("\n".join(uncalled(case_files(), load)) or 0)


if __name__ == "__main__":
    main(sys.argv[1:])
