# SPDX-License-Identifier: Apache-2.0
"""Holds what other tools overlook; prints where, as one line of JSON, then READY, then sleeps."""
import gc
import json
import sys
import threading
import time
import weakref


class FrozenThing:
    def __init__(self, number):
        self.number = number
        self.text = "frozen %d" % number


class LateThing:
    __slots__ = ("value",)


class Shared:
    """Many instances share the keys of their dicts."""

    def __init__(self, n):
        self.one = n + 1000
        self.two = [n]
        self.three = "three %d" % n


class OnlyInThread:
    pass


class Watched:
    pass


class Fakes:
    class property:
        def __init__(self, value):
            self.fget = value

    class Context:
        def __init__(self, value):
            self.ctx_vars = value

    class dict:
        __slots__ = ("ma_keys",)

        def __init__(self, value):
            self.ma_keys = value

    class frame(list):
        def __init__(self, value):
            super().__init__([value])


def nest(value, depth):
    for _ in range(depth):
        value = (value,)
    return value


def fresh_float(seed):
    return seed * 1.25 + 0.125


def nested_floats():
    made = {"tuples-%d" % depth: [nest(fresh_float(n), depth) for n in range(1000 + depth * 111)]
            for depth in range(5)}
    made["dicts"] = {"outer-%d" % n: {"inner": {"leaf": fresh_float(n)}} for n in range(700)}
    made["mixed"] = {n: ({"leaf": (fresh_float(n), [fresh_float(n + 0.5)])},) for n in range(300)}
    return made


def sizes():
    fresh = [Shared(n) for n in range(50)]
    real = [Shared(n) for n in range(50)]
    dicts = [thing.__dict__ for thing in real]
    grown = Shared(1)
    for n in range(40):
        setattr(grown, "more_%d" % n, n)
    shrunk = Shared(2)
    del shrunk.two
    plain = [{}, {"a": 1}, {n: n for n in range(100)}, dict.fromkeys("abcdef"), set(range(50)), [1] * 9]
    return fresh + real + dicts + [grown, grown.__dict__, shrunk, shrunk.__dict__] + plain


def hold(started, event):
    only_here = OnlyInThread()
    only_here.payload = ["held by a local of a thread"]
    started.set()
    event.wait()
    return only_here


def start_thread():
    started = threading.Event()
    thread = threading.Thread(target=hold, args=(started, threading.Event()), name="keeper",
                              daemon=True)
    thread.start()
    started.wait()
    return thread


def end_references(thread):
    """What the state of a thread keeps for its end: up to 3.12 a weak reference to a lock."""
    lock = getattr(thread, "_tstate_lock", None)
    return [address(ref) for ref in weakref.getweakrefs(lock)] if lock else []


def address(obj):
    return id(obj)


def main():
    floats = nested_floats()
    frozen = [FrozenThing(n) for n in range(5000)]
    gc.collect()
    gc.freeze()
    late = [LateThing() for _ in range(123)]
    sized = sizes()
    watched = Watched()
    weak = [weakref.ref(watched), weakref.WeakSet([watched]), weakref.proxy(watched),
            weakref.WeakValueDictionary(key=watched), weakref.WeakKeyDictionary({watched: 1})]
    marker = ["marker"]
    fakes = [kind(marker) for kind in (Fakes.property, Fakes.Context, Fakes.dict, Fakes.frame)]
    thread = start_thread()
    facts = {
        "floats": {name: [address(value), float_count(name)] for name, value in floats.items()},
        "counts": {"__main__.FrozenThing": len(frozen), "__main__.LateThing": len(late),
                   "__main__.Shared": 102, "__main__.OnlyInThread": 1},
        "sizes": [[address(obj), sys.getsizeof(obj), type(obj).__name__] for obj in sized],
        "weak": [address(ref) for ref in weak], "watched": address(watched), "holder": address(weak),
        "fakes": [[address(fake), "__main__." + type(fake).__qualname__] for fake in fakes],
        "marker": address(marker), "end": end_references(thread),
    }
    print(json.dumps(facts))
    print("READY", flush=True)
    time.sleep(100000)


def float_count(name):
    if name.startswith("tuples-"):
        return 1000 + int(name[-1]) * 111
    return {"dicts": 700, "mixed": 600}[name]


if __name__ == "__main__":
    main()
