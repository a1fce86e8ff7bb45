# SPDX-License-Identifier: Apache-2.0
"""Objects that the cases ask about, few of them: a call costs what the heap costs."""
import io


class Thing:
    def method(self):
        return self


class Slots:
    __slots__ = ("held",)


def generate(local):
    yield local


def fails(*unused):
    raise KeyError


def swallow(function, *args, **options):
    """Calls it; wrong arguments, and what is not there, are what is wanted."""
    try:
        function(*args, **options)
    except (AttributeError, LookupError, TypeError, ValueError, OSError, RuntimeError):
        pass


def printed(function, *args, **options):
    """Calls it with file=; what it printed."""
    stream = io.StringIO()
    function(*args, file=stream, **options)
    return stream.getvalue()


thing = Thing()
holders = [thing, {"a": thing, thing: 1}, (thing,), {thing}]
thing.me = holders
slots = Slots()
slots.held = thing
number = float("0.125")
generator = generate(thing)
next(generator)
