# SPDX-License-Identifier: Apache-2.0
"""Checks of what callers give, so that a mistake is told where it was made, in the caller's words.

A value of a wrong type is a TypeError, one out of range a UsageError, which is a ValueError.
"""
import operator
from typing import Any, Callable, Optional

from heapwhy import _heapwhy

_NAME: Any = type.__dict__["__name__"].__get__


def with_article(noun: str) -> str:
    """"an int", "a str"."""
    return "%s %s" % ("an" if noun[:1] in "aeiouAEIOU" else "a", noun)


def kind_of(value: Any) -> str:
    """What to call a wrong value by its type, with an article: nothing of its own is run."""
    return with_article(str(_NAME(type(value))))


def counted(number: int, noun: str, form: str = "d") -> str:
    """"1 object", "2000 objects"; form is format()'s, for the number."""
    return "%s %s%s" % (format(number, form), noun, "s" * (abs(number) != 1))


def whole(name: str, value: Any, least: Optional[int] = None) -> int:
    """An int, or what stands for one (numpy's do); of at least so much."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError("%s must be a whole number, not %s" % (name, kind_of(value))) from None
    if least is not None and number < least:
        raise _heapwhy.UsageError("%s must be %d or more, not %d" % (name, least, number))
    return number


def number_option(least: int) -> Callable[[str], int]:
    """For argparse: reads the whole number of an option, of at least so much."""
    def read(text: str) -> int:
        number = int(text)
        if number < least:
            from argparse import ArgumentTypeError
            raise ArgumentTypeError("must be %d or more, not %d" % (least, number))
        return number

    read.__name__ = "int"  # what argparse calls it where it is none
    return read


def seconds(name: str, value: Any, zero: bool = False) -> float:
    """A number of seconds above 0, or 0 as well."""
    if isinstance(value, (str, bytes)):
        raise TypeError("%s must be a number of seconds, not %s" % (name, kind_of(value)))
    try:
        number = float(value)
    except (TypeError, OverflowError):
        raise TypeError("%s must be a number of seconds, not %s" % (name, kind_of(value))) from None
    if not (number > 0 or zero and number == 0) or number == float("inf"):
        raise _heapwhy.UsageError("%s must be a number of seconds %s 0, not %g" % (
            name, "from" if zero else "above", number))
    return number


def function(name: str, value: Any, hint: str = "") -> None:
    """Something that can be called."""
    if not callable(value):
        raise TypeError("%s must be a function, not %s%s" % (name, kind_of(value), hint and "; " + hint))


def function_or_none(name: str, value: Any) -> None:
    """The same, or None."""
    if value is not None:
        function(name, value)


def process(value: Any) -> int:
    """A process id that the system could have given: it goes into C, and into the names of files."""
    pid = whole("pid", value)
    if not 0 <= pid <= 1 << 22:  # PID_MAX_LIMIT of Linux
        raise _heapwhy.NotFoundError("there is no process %d" % pid)
    return pid
