# SPDX-License-Identifier: Apache-2.0
"""Calls what is public with values that make no sense, and says what was raised that is not documented.

    wrong_calls.py         each function and method that costs little
    wrong_calls.py all     also what takes a snapshot for each call, the other tools' names, and what is in C: minutes

Prints each call, with the seconds of processor time until then, before it is made, so that the last line of a crash tells where; the end is "N calls". Run it in
a directory that may be written to.
"""
import faulthandler
import inspect
import io
import sys
import time
import weakref

import heapwhy
from heapwhy import _heapwhy


class Mine(Exception):
    """What the objects below raise when code of theirs runs. Where a value must be looked at, it may come out."""


class Hostile:
    """Everything that Python would ask of it fails; type() and id() alone tell something."""

    def fail(self, *args, **options):
        raise Mine

    __eq__ = __hash__ = __repr__ = __str__ = __getattribute__ = __len__ = __iter__ = __bool__ = __call__ = fail


class Other:
    pass


DEAD = weakref.proxy(Other())
HOSTILE = Hostile()
VALUES = [
    ("None", lambda: None), ("True", lambda: True), ("-1", lambda: -1), ("0", lambda: 0), ("7", lambda: 7),
    ("2**70", lambda: 2 ** 70), ("-2**70", lambda: -2 ** 70), ("3.5", lambda: 3.5), ("nan", lambda: float("nan")),
    ("inf", lambda: float("inf")), ("'x'", lambda: "x"), ("''", lambda: ""), ("zero", lambda: "\0"),
    ("surrogate", lambda: "\ud800"), ("huge", lambda: "x" * (1 << 20)), ("b''", lambda: b""), ("[]", lambda: []),
    ("[None]", lambda: [None]), ("{}", lambda: {}), ("object", object), ("type", lambda: Other),
    ("iterator", lambda: iter([1, 2])), ("function", lambda: VALUES.index), ("dead proxy", lambda: DEAD),
    ("hostile", lambda: HOSTILE), ("module", lambda: sys), ("bytearray", lambda: bytearray(3)),
]
# Documented: TypeError for a wrong type; the others for a value. heapwhy.Error's classes are these, too. The last two
# come out of the values themselves: where they are asked about, call_about_hostile() allows none.
RAISED = (heapwhy.Error, TypeError, ValueError, LookupError, OSError, Mine, ReferenceError)
RAISED_BY_ROWS = RAISED + (AttributeError,)  # fields are attributes
# Drop-in replacements fail as the originals do.
RAISED_BY_OTHERS = RAISED + (AttributeError, AssertionError, ArithmeticError, RuntimeError, SyntaxError)

SNAPSHOT_EACH = {"snapshot", "types", "objects", "holders", "retained", "tree", "paths", "owners", "cycles", "memory", "audit",
                 "resources", "diagnose", "growth", "sites"}
# Called with a value that means "wait so long" or "do it so often", they would.
WAITING = {("memory_usage", "timeout"), ("memory_usage", "interval"), ("find_leak", "repeats"), ("find_leak", "warmup"),
           ("no_leaks", "options"), ("memory_usage", "proc")}
SKIPPED = {"load_ipython_extension"}  # of IPython alone
GOOD = {"what": "sys.modules", "obj": [], "objs": [], "run": int, "objects": [], "path": "x.hwsnap", "filename": "x.dot", "action": "warn",
        "form": "dot", "test": bool, "key": len, "cls": dict, "dot": "digraph {}", "nodes": 1}

count, wrong = 0, []


def call(name, function, raised, *args, **options):
    global count
    count += 1
    print("%.3f %s" % (time.process_time(), name), flush=True)
    try:
        result = function(*args, **options)
        for end in ("stop", "close"):
            if type(result).__module__.startswith("heapwhy") and hasattr(type(result), end):
                getattr(result, end)()
    except raised:
        pass
    except Exception as error:
        wrong.append("%s raised %s: %.200s" % (name, type(error).__name__, error))


def parameters_of(function):
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def call_all(name, function, raised=RAISED, values=VALUES):
    """With each value in the first place, in the first two, and in each that has a name."""
    parameters = parameters_of(function)
    plain = name.rpartition(".")[2]
    given = [GOOD.get(one.name) for one in parameters
             if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    for text, make in values:
        first = (plain, parameters[0].name) if parameters else ("", "")
        if first not in WAITING:
            call("%s(%s)" % (name, text), function, raised, make())
            call("%s(%s, %s)" % (name, text, text), function, raised, make(), make())
        for one in parameters:
            named = one.default is not one.empty and one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
            if named and (plain, one.name) not in WAITING:
                call("%s(%s=%s)" % (name, one.name, text), function, raised, *given, **{one.name: make()})


def methods_of(thing):
    return [(name, getattr(thing, name)) for name in dir(type(thing))
            if not name.startswith("_") and callable(getattr(type(thing), name, None))]


def call_methods(name, thing, raised=RAISED, skipped=()):
    for method, function in methods_of(thing):
        if method not in skipped:
            call_all("%s.%s" % (name, method), function, raised)


def call_functions(every):
    for name in sorted(set(heapwhy.__all__) | {"open"}):
        function = getattr(heapwhy, name)
        if not callable(function) or name in SKIPPED or inspect.isclass(function) and issubclass(function, Exception):
            continue
        if name in SNAPSHOT_EACH and not every:
            call("heapwhy.%s(0)" % name, function, RAISED, 0)
        else:
            call_all("heapwhy." + name, function)


def call_objects():
    """The methods of what the functions return."""
    snapshot = heapwhy.snapshot()
    answer, objects = snapshot.types(), snapshot.objects("dict")
    call_methods("Snapshot", snapshot, skipped=("close",))
    call_methods("Answer", answer, RAISED_BY_ROWS)
    call_methods("Objects", objects, RAISED_BY_ROWS)
    call_methods("Record", answer[0])
    for text, make in VALUES:
        call("Answer[%s]" % text, answer.__getitem__, RAISED, make())
        call("Objects[%s]" % text, objects.__getitem__, RAISED, make())
    heap = heapwhy.heapset([objects, answer, {}])
    call_methods("HeapSet", heap)
    call_methods("Partition", heap.by_class())
    call_methods("Chain", heapwhy.chain(answer))
    call_methods("Picture", heapwhy.show_refs([[]]), skipped=("render", "save"))
    call_methods("LineProfiler", heapwhy.LineProfiler(), skipped=("enable", "enable_by_count", "print", "disable",
                                                                  "disable_by_count", "runctx"))
    call_methods("Garbage", heapwhy.garbage())
    snapshot.close()
    call_methods("closed Snapshot", snapshot)


def call_about_hostile():
    """What asks about objects asks nothing of them. They are in a list, since a local variable of ours holds nothing."""
    held = [HOSTILE, DEAD, Other]
    snapshot = heapwhy.snapshot()
    functions = [heapwhy.sizeof, heapwhy.deepsizeof, heapwhy.referrers, heapwhy.referents, heapwhy.chain,
                 lambda one: heapwhy.heapset([one]).by_class().table(), lambda one: repr(heapwhy.referrers(one)),
                 lambda one: heapwhy.chain(one).spelled, heapwhy.show_refs, heapwhy.show_backrefs,
                 lambda one: heapwhy.heapset([one]).shortest_paths()]
    functions += [getattr(snapshot, name) for name in ("holders", "objects", "referrers", "referents", "retained", "tree")]
    for number, function in enumerate(functions):
        for text, one in zip(("hostile", "dead proxy", "type"), held):
            name = getattr(function, "__name__", "lambda")
            call("%d %s about %s" % (number, name, text), function, (heapwhy.NotFoundError,) if text == "type" else (), one)


def call_others():
    """The names of other tools."""
    from heapwhy.compat import objgraph
    from heapwhy.compat.pympler import asizeof, muppy, refbrowser, summary, tracker
    for module in (objgraph, asizeof, muppy, refbrowser, summary, tracker):
        for name in getattr(module, "__all__", None) or [one for one in dir(module) if not one.startswith("_")]:
            function = getattr(module, name)
            if inspect.isfunction(function) or inspect.isclass(function):
                call_all("%s.%s" % (module.__name__, name), function, RAISED_BY_OTHERS)


def call_extension():
    """What is in C, which nobody but the package calls: it must not crash either."""
    for name in sorted(dir(_heapwhy)):
        function = getattr(_heapwhy, name)
        if not callable(function) or inspect.isclass(function) and issubclass(function, Exception):
            continue
        for text, make in VALUES:
            for args in ((make(),), (make(), make()), ([make()], [make()]), (make(),) * 3,
                         (make(), make(), 5, [make()], True)):
                call("_heapwhy.%s(%d x %s)" % (name, len(args), text), function, (Exception,), *args)


def main():
    faulthandler.enable()
    every = "all" in sys.argv[1:]
    sys.stderr = io.StringIO() if not every else sys.stderr
    call_about_hostile()
    call_objects()
    call_functions(every)
    if every:
        call_others()
        call_extension()
    print("\n".join(["%d calls" % count] + wrong))


main()
