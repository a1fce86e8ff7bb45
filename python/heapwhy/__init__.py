# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, version as __version__)

__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure",
           "UnsupportedError", "UsageError", "__version__",
           "collector_state", "cycles_forbidden", "CyclesError", "dump_near_limit", "dump_on_memory_error", "find_leak", "garbage", "no_leaks", "uncollectable"]

_LAZY = {
    "collector_state": "collector", "cycles_forbidden": "collector", "CyclesError": "collector", "garbage": "collector",
    "uncollectable": "collector",
    "dump_near_limit": "dump", "dump_on_memory_error": "dump",
    "find_leak": "leakcheck", "no_leaks": "leakcheck",
}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError("module 'heapwhy' has no attribute %r" % name)
    import importlib
    return getattr(importlib.import_module("heapwhy." + _LAZY[name]), name)
