# SPDX-License-Identifier: Apache-2.0
"""Whether a function leaves something behind: called often, references and blocks must not grow.

make leaks calls each 10,000 times. Without $HEAPWHY_LEAK_CALLS those that walk the whole heap are called less
often, and so is everything in a debug build, which is slow.
"""
import gc
import os
import sys

WARM_UP = 100
IS_DEBUG = hasattr(sys, "gettotalrefcount")
CALLS = int(os.environ.get("HEAPWHY_LEAK_CALLS", 1_000 if IS_DEBUG else 10_000))
HEAP_CALLS = int(os.environ.get("HEAPWHY_LEAK_CALLS", 100))
# What caches, counters and the interpreter itself may come to have meanwhile; a leak has CALLS.
SLACK = 50


def grown(function, calls=CALLS):
    """(references or None, blocks) that are more after so many calls."""
    count = getattr(sys, "gettotalrefcount", lambda: None)
    for _ in range(min(WARM_UP, calls)):
        function()
    gc.collect()
    references, blocks = count(), sys.getallocatedblocks()
    for _ in range(calls):
        function()
    gc.collect()
    return (None if references is None else count() - references), sys.getallocatedblocks() - blocks


def check(functions, calls=CALLS):
    """Raises AssertionError with what each of {name: function} left behind."""
    left = {}
    for name, function in functions.items():
        references, blocks = grown(function, calls)
        if (references or 0) > SLACK or blocks > SLACK:
            left[name] = "%s references, %d blocks more after %d calls" % (references, blocks, calls)
    assert not left, left
