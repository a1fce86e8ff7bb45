# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, version as __version__)

__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure",
           "UnsupportedError", "UsageError", "__version__",
           "LineProfiler", "load_ipython_extension", "memory_usage", "profile"]

# Imported when first asked for: name -> module.
_LATER = {"LineProfiler": "lines", "profile": "lines", "memory_usage": "usage", "load_ipython_extension": "magics"}


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    import importlib
    value = globals()[name] = getattr(importlib.import_module("heapwhy." + _LATER[name]), name)
    return value


def __dir__():
    return sorted(set(globals()) | set(_LATER))
