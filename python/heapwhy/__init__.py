# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
import _thread
import os
import sys as _sys

from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, deepsizeof, sizeof, version as __version__)

# Loaded when first asked for (PEP 562): which module has which of our names.
_MODULES = {
    "edges": ("Chain", "Reference", "chain", "referents", "referrers"),
    "pictures": ("Picture", "show_backrefs", "show_chain", "show_refs"),
    "lines": ("LineProfiler", "profile"),
    "usage": ("memory_usage",),
    "magics": ("load_ipython_extension",),
    "collector": ("CyclesError", "collector_state", "cycles_forbidden", "garbage", "uncollectable"),
    "dump": ("dump_near_limit", "dump_on_memory_error"),
    "leakcheck": ("find_leak", "no_leaks"),
    "snapshots": ("Snapshot", "audit", "cycles", "diagnose", "holders", "memory", "objects", "open", "owners",
                  "paths", "resources", "retained", "sites", "snapshot", "tree", "types"),
    "moments": ("growth", "watching"),
    "sets": ("HeapSet", "heap", "heapset"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}

# Not by `import *`: what has the name of a builtin, and what needs IPython.
__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure", "UnsupportedError",
           "UsageError", "__version__", "deepsizeof", "sizeof"] + sorted(set(_HOMES) - {"load_ipython_extension", "open"})


# A thread that is in the middle of an import does not exist in a forked child, where that import would never
# end: who forks waits for ours to end. Reentrant: what is imported may fork.
_loading = _thread.RLock()
os.register_at_fork(before=_loading.acquire, after_in_parent=_loading.release, after_in_child=_loading.release)


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError("module 'heapwhy' has no attribute %r" % name)
    try:
        value = globals()[name] = _load(name)
    except ImportError:
        if not _sys.is_finalizing():
            raise
        raise Error("heapwhy.%s() can't be loaded any more, as the interpreter is ending; ask before, in a function "
                    "of atexit, say" % name) from None
    return value


def _load(name):
    import gc
    import importlib
    with _loading:
        collects = gc.isenabled()
        gc.disable()  # else what an import allocates makes it collect the garbage that is asked about
        try:
            return getattr(importlib.import_module("heapwhy." + _HOMES[name]), name)
        finally:
            if collects:
                gc.enable()


def __dir__():
    return sorted(set(globals()) | set(_HOMES))
