# SPDX-License-Identifier: Apache-2.0
"""Whether a function leaves something behind: called often, references and blocks must not grow.

make leaks runs it, with each function called $HEAPWHY_LEAK_CALLS times.
"""
import gc
import os
import sys

WARM_UP = 100
CALLS = HEAP_CALLS = int(os.environ.get("HEAPWHY_LEAK_CALLS", 10_000))
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
