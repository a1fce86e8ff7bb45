# SPDX-License-Identifier: Apache-2.0
"""heapwhy: why does the memory of a running Python program grow?

From outside, for a process that nobody prepared:   python -m heapwhy PID
From inside, for the program's own objects:         import heapwhy
"""
from heapwhy._heapwhy import (CorruptError, Error, NotFoundError, PermissionDenied, SystemFailure,
                              UnsupportedError, UsageError, deepsizeof, sizeof, version as __version__)

__all__ = ["CorruptError", "Error", "NotFoundError", "PermissionDenied", "SystemFailure",
           "UnsupportedError", "UsageError", "__version__", "deepsizeof", "sizeof"]
