# SPDX-License-Identifier: Apache-2.0
"""What may be missing, and membership by identity."""
from typing import Any, Iterable

try:
    import tkinter
except ImportError:
    tkinter = None  # type: ignore[assignment]

__all__ = ["object_in_list", "tkinter"]


def object_in_list(obj: Any, l: Iterable[Any]) -> bool:
    """Whether this very object is among those of l. No __eq__ is called."""
    return any(item is obj for item in l)
