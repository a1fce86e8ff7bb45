# SPDX-License-Identifier: Apache-2.0
"""Makes cycles of a type with a legacy finalizer; after SIGUSR1 tells what gc.collect() found."""
import ctypes
import gc
import json
import signal

COUNT = 9
TP_DEL = 376  # offsetof(PyTypeObject, tp_del), the same from 3.8 to 3.13


class Part:
    def __init__(self):
        self.me = self


class Legacy:
    def __init__(self):
        self.me = self
        self.part = Part()


class Inherits(Legacy):
    pass


class Leads:
    def __init__(self):
        self.me = self
        self.legacy = Legacy()


def give_tp_del(cls):
    """What an extension type written for Python 2 has; this one does nothing."""
    harmless = ctypes.cast(ctypes.pythonapi.Py_IsInitialized, ctypes.c_void_p).value
    ctypes.c_void_p.from_address(id(cls) + TP_DEL).value = harmless


def main():
    gc.collect()
    gc.disable()
    give_tp_del(Legacy)
    give_tp_del(Inherits)
    for make in (Legacy, Inherits, Leads, Part):
        for _ in range(COUNT):
            make()
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    print("READY", flush=True)
    signal.sigwait([signal.SIGUSR1])
    returned = gc.collect()
    alive = [type(found).__name__ for found in gc.get_objects() if type(found).__module__ == "__main__"]
    print(json.dumps({"returned": returned, "garbage": len(gc.garbage),
                      "alive": {name: alive.count(name) for name in set(alive)}}), flush=True)
    signal.sigwait([signal.SIGUSR1])


if __name__ == "__main__":
    main()
