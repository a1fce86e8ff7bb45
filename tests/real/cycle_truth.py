# SPDX-License-Identifier: Apache-2.0
"""Makes cycles of every kind with the collector off; after SIGUSR1 tells what gc.collect() found."""
import collections
import gc
import json
import signal
import sys
import weakref

COUNT = 7


class Line:
    def __init__(self, order):
        self.order = order


class Order:
    def __init__(self):
        self.lines = [Line(self) for _ in range(3)]
        self.notes = ("paid", [1, 2, 3])


class Slotted:
    __slots__ = ("other", "__weakref__")


class WithDel:
    def __init__(self):
        self.me = self

    def __del__(self):
        pass


class Connection:
    def __init__(self):
        self.handlers = {1: self.open, 2: self.close}

    def open(self):
        pass

    def close(self):
        pass


def closure():
    def again(n):
        return again(n - 1) if n else 0
    return again


def failure():
    kept = None
    try:
        raise KeyError("k")
    except KeyError as error:
        kept = error
    return kept is None


def generator():
    mine = []
    yield mine
    yield None


def dynamic_class():
    class Plugin:
        def run(self):
            return super().__init__()
    return Plugin()


def self_list():
    root = []
    root[:] = [root, root, None]


class Watcher:
    def __init__(self, other):
        self.ref = weakref.ref(other, self.forget)

    def forget(self, _):
        pass


def make():
    Order()
    a, b = Slotted(), Slotted()
    a.other, b.other = b, a
    WithDel()
    Connection()
    closure()
    failure()
    dynamic_class()
    self_list()


def make_generator():
    """Apart: the collector closes it first, which frees it before it could be counted."""
    suspended = generator()
    next(suspended).append(suspended)


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    kept = [Order() for _ in range(5)]  # alive, and a cycle all the same
    gc.collect()
    gc.disable()
    for _ in range(COUNT):
        make_generator() if "generators" in sys.argv else make()
        Watcher(kept[0])
    print("READY", flush=True)
    signal.sigwait([signal.SIGUSR1])
    gc.set_debug(gc.DEBUG_SAVEALL)
    returned = gc.collect()
    types = collections.Counter(
        type(o).__qualname__ if type(o).__module__ == "builtins"
        else type(o).__module__ + "." + type(o).__qualname__ for o in gc.garbage)
    print(json.dumps({"returned": returned, "types": types, "length": len(gc.garbage)}), flush=True)
    signal.sigwait([signal.SIGUSR1])
    return len(kept)


if __name__ == "__main__":
    sys.exit(main())
