# SPDX-License-Identifier: Apache-2.0
"""Counting what a thread takes from Python's allocators: exact, whatever was there before."""
import os

import pytest
from support import package_pythons, python_inside

CHURN = """
import gc, random, threading
from heapwhy import _heapwhy

def churn(rounds):
    keep, random_ = {}, random.Random(1)
    for i in range(rounds):
        key = random_.randrange(500)
        keep[key] = [None] * random_.randrange(3000)
        keep[key + 1000] = bytes(random_.randrange(700))
        keep[key + 2000] = str(i) * random_.randrange(100)
        for j in range(random_.randrange(50)):
            keep[key].append(None)
        keep.pop(random_.randrange(3000), None)

churn(100)
"""

CASES = CHURN + """
_heapwhy.allocated_start()
gc.collect()
before = _heapwhy.allocated_bytes()
churn(5000)
gc.collect()
drift = _heapwhy.allocated_bytes() - before
assert abs(drift) < 4096, drift     # all was given back, but for caches

# what was there before the counting began counts when it goes; its arenas, too
_heapwhy.allocated_stop()
keep = [object() for _ in range(400000)]
_heapwhy.allocated_start()
before = _heapwhy.allocated_bytes()
del keep
freed = before - _heapwhy.allocated_bytes()
assert 400000 * (16 + 8) <= freed <= 400000 * (32 + 12), freed

# other threads have counters of their own
before = _heapwhy.allocated_bytes()
thread = threading.Thread(target=lambda: globals().__setitem__("kept", bytearray(10 ** 7)))
thread.start()
thread.join()
other = _heapwhy.allocated_bytes() - before
assert abs(other) < 100000, other

before = _heapwhy.allocated_bytes()
_heapwhy.allocated_pause()
paused = bytearray(10 ** 6)
_heapwhy.allocated_resume()
assert _heapwhy.allocated_bytes() - before < 1000
_heapwhy.allocated_stop()
print("fine")
"""


@pytest.mark.parametrize("python", package_pythons())
@pytest.mark.parametrize("malloc", ["", "malloc", "pymalloc_debug", "malloc_debug"])
def test_nothing_is_lost_and_nothing_invented(python, malloc):
    assert python_inside(CASES, python, env={"PYTHONMALLOC": malloc} if malloc else None) == "fine\n"


def test_with_tracemalloc_above_and_below():
    assert python_inside("""
import tracemalloc
from heapwhy import _heapwhy
tracemalloc.start()
_heapwhy.allocated_start()
before, traced = _heapwhy.allocated_bytes(), tracemalloc.get_traced_memory()[0]
kept = [bytearray(1000) for _ in range(10000)]
ours, theirs = _heapwhy.allocated_bytes() - before, tracemalloc.get_traced_memory()[0] - traced
assert theirs <= ours <= theirs * 1.1 + 1000, (ours, theirs)   # blocks are rounded up
tracemalloc.stop()
_heapwhy.allocated_stop()
_heapwhy.allocated_start()
tracemalloc.start()
_heapwhy.allocated_stop()          # stays below
del kept
tracemalloc.stop()
kept = [bytearray(1000) for _ in range(10000)]
print("fine")
""") == "fine\n"


def test_after_a_fork_and_in_many_threads():
    assert python_inside("""
import os, threading
from heapwhy import _heapwhy
_heapwhy.allocated_start()
pid = os.fork()
if pid == 0:
    before = _heapwhy.allocated_bytes()
    kept = bytearray(10 ** 6)
    os._exit(not 10 ** 6 <= _heapwhy.allocated_bytes() - before < 10 ** 6 + 5000)
assert os.waitpid(pid, 0)[1] == 0
told = []
def work():
    before = _heapwhy.allocated_bytes()
    kept = [bytearray(100) for _ in range(20000)]
    told.append(_heapwhy.allocated_bytes() - before)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert max(told) - min(told) < 50000, told
print("fine")
""") == "fine\n"


def test_allocators_without_sizes_are_refused():
    for python in package_pythons():
        if "3.13" not in os.path.realpath(python):
            continue
        assert python_inside("""
import heapwhy, warnings
from heapwhy import _heapwhy
try:
    _heapwhy.allocated_start()
except heapwhy.UnsupportedError as error:
    print(error)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    profiler = heapwhy.LineProfiler()
print(profiler.backend, len(caught))
""", python, env={"PYTHONMALLOC": "mimalloc"}).splitlines() == [
            "the sizes of this Python's allocators are not known, so bytes cannot be counted; choose another backend, such as rss",
            "rss 1"]
