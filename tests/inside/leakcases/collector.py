# SPDX-License-Identifier: Apache-2.0
"""The collector's view, leaks of a function, snapshots when memory runs out, memory over time."""
import gc
import os
import warnings

import heapwhy
from heapwhy import _heapwhy, collector, dump, usage
from things import Thing, fails, swallow

warnings.simplefilter("ignore")
kept = []
FILE = "leakcheck-at-the-end.hwsnap"


def cycle():
    one, two = Thing(), Thing()
    one.other, two.other = two, one


def garbage():
    gc.disable()
    cycle()
    found = heapwhy.garbage()
    told = str(found), repr(found), bool(found), found.by_type(), found.by_attribute(), found.to_dicts(), str(found.kinds[0])
    gc.enable()
    gc.collect()
    return told


def cycles_forbidden(action, work):
    with heapwhy.cycles_forbidden(action):
        work()


def leak():
    kept.append(Thing())


def found_leak():
    del kept[:]
    told = heapwhy.find_leak(leak)
    text = str(told), repr(told)
    del kept[:]
    swallow(heapwhy.no_leaks, fails)
    return text


def births():
    seen = _heapwhy.Births()
    kept.append(Thing())
    told = (seen.look(), seen.growing(), seen.born(), seen.born("things.Thing", 1), seen.grown())
    del kept[:]
    return told


def armed():
    watch = _heapwhy.Dump("/bin/true", [FILE], 1000)
    groups = dump._groups()
    told = watch.pressure(groups)
    watch.watch(groups, 1.0, 1000)
    watch.stop()
    return told, watch.hook(None), watch.taken


def hooks():
    with heapwhy.dump_on_memory_error(FILE) as armed_now:
        told = armed_now.taken
    with heapwhy.dump_near_limit(FILE, 1.0, interval=100):
        pass
    swallow(heapwhy.dump_on_memory_error, "/nonsense/x")
    swallow(heapwhy.dump_near_limit, FILE, 5)
    return told


CASES = {
    "garbage": garbage,
    "garbage, counted": lambda: (_heapwhy.garbage(count=True), _heapwhy.garbage()),
    "collector_state": lambda: repr(heapwhy.collector_state()),
    "uncollectable": heapwhy.uncollectable,
    "cycles_forbidden, none": lambda: cycles_forbidden("raise", int),
    "cycles_forbidden, raises": lambda: cycles_error(),
    "cycles_forbidden, warns": lambda: (cycles_forbidden("warn", cycle), gc.collect()),
    "cycles_forbidden, calls": lambda: (cycles_forbidden(str, cycle), gc.collect()),
    "cycles_forbidden, error within": lambda: swallow(cycles_forbidden, "raise", fails),
    "cycles_forbidden, told": lambda: repr(heapwhy.cycles_forbidden()),
    "cycles_forbidden, wrong": lambda: swallow(heapwhy.cycles_forbidden, 5),
    "memory_usage": lambda: (heapwhy.memory_usage(-1, interval=1e-4, timeout=0),
                             heapwhy.memory_usage((int, ("5",)), interval=1e-4, retval=True),
                             heapwhy.memory_usage((swallow, (fails,)), interval=1e-4, max_usage=True)),
    "measure": lambda: (usage.measure("rss"), usage.rss_bytes(), usage.rss_bytes(1), usage.children_of(os.getpid()),
                        usage.backend_of("psutil", "rss"), swallow(usage.backend_of, "nonsense", "rss"), _heapwhy.rss()),
    "smaps": lambda: (usage.uss_bytes(), usage.pss_bytes()),
}
SLOW_CASES = {
    "Births": births,
    "no_leaks": lambda: heapwhy.no_leaks(int),
    "Dump": armed,
    "Dump.take": lambda: _heapwhy.Dump("/bin/true", [FILE], 1000, quiet=True).take(),
    "dump_on_memory_error and dump_near_limit": hooks,
    "find_program": dump.find_program,
}
FORK_CASES = {
    "find_leak": found_leak,
}


def cycles_error():
    try:
        cycles_forbidden("raise", cycle)
    except collector.CyclesError as error:
        text = str(error.garbage)
    gc.collect()
    return text
