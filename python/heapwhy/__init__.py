# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, version as __version__)

LAZY = {"HeapSet": "sets", "heap": "sets", "heapset": "sets"}  # imported when first asked for

__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure",
           "UnsupportedError", "UsageError", "__version__", *LAZY]


def __getattr__(name):
    if name not in LAZY:
        raise AttributeError("module 'heapwhy' has no attribute '%s'" % name)
    import importlib
    return getattr(importlib.import_module("heapwhy." + LAZY[name]), name)


def __dir__():
    return sorted(set(globals()) | set(__all__))
