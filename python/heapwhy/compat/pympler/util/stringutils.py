# SPDX-License-Identifier: Apache-2.0
"""Texts of a bounded length, sizes and times for people."""
from typing import Any, Optional, Union

_UNITS = ("B", "KB", "MB", "GB", "TB", "EB")


def safe_repr(obj: Any, clip: Optional[int] = None) -> str:
    """repr(obj), 'N/A' if that raises. clip: at most so many characters.

    >>> safe_repr("Clipped text", clip=8)
    "'Cli..t'"
    """
    try:
        text = repr(obj)
    except Exception:
        return "N/A"
    if clip and len(text) > clip:
        return text[:clip - 4] + ".." + text[-2:]
    return text


def trunc(obj: Any, max: int, left: bool = False) -> str:
    """str(obj) on one line, at most max characters. left: what is cut off is the beginning.

    >>> trunc("This is a long text.", 8)
    'This ...'
    """
    text = str(obj).replace("\n", "|")
    if len(text) <= max:
        return text
    return "..." + text[len(text) - max + 3:] if left else text[:max - 3] + "..."


def pp(i: Union[int, float], base: int = 1024) -> str:
    """A number of bytes for people.

    >>> pp(2048), pp(10)
    ('   2.00 KB', '  10     B')
    """
    unit = 0
    while i > base and unit < len(_UNITS) - 1:
        i /= float(base)
        unit += 1
    return ("%7.2f %s" if unit else "%4d     %s") % (i, _UNITS[unit])


def pp_timestamp(t: Optional[float]) -> str:
    """Seconds as hours, minutes, seconds; '' for None."""
    if t is None:
        return ""
    return "%02d:%02d:%05.2f" % (int(t / 3600), int(t / 60 % 60), t % 60)
