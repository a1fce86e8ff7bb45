# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
import importlib

from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, version as __version__)

# What is imported when somebody first asks for it: name -> module.
_LAZY = {name: module for module, names in {
    "heapwhy.snapshots": ("Snapshot", "audit", "cycles", "diagnose", "holders", "memory", "objects", "open",
                          "owners", "paths", "resources", "retained", "snapshot", "tree", "types"),
    "heapwhy.moments": ("growth", "watching"),
}.items() for name in names}

__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure",
           "UnsupportedError", "UsageError", "__version__"] + sorted(_LAZY)


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError("module 'heapwhy' has no attribute %r" % name)
    value = getattr(importlib.import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(_LAZY))
