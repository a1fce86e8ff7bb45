# SPDX-License-Identifier: Apache-2.0
"""A target that tells what its own tracemalloc says of it: sites_truth.py STEP..., each step a word.

    start=N     tracemalloc.start(N)
    stop        tracemalloc.stop()
    clear       tracemalloc.clear_traces()
    work        allocates (sites_work.py), and keeps it
    drop        frees part of it
    track       tells of blocks of another domain
    rehearse    does all that tell does, and goes on
    pretend     says that it traces, with the tables empty that tracemalloc.stop() left, then READY, and waits; up to 3.11
    tell        prints statistics as JSON, compared with those told before, then READY, and waits for SIGUSR1
    again       the same once more, compared with the same
"""
import ctypes
import gc
import json
import os
import signal
import sys
import tracemalloc

import sites_work

# What is allocated and freed while it is told; its sites can't be the same a moment later.
OWN = (__file__, tracemalloc.__file__)


def is_own(frame):
    return frame.filename in OWN or "/json/" in frame.filename or "/signal.py" in frame.filename


def rows(snapshot, key, before=None):
    if before:
        found = snapshot.compare_to(before, key)
    else:
        found = snapshot.statistics(key)
    told = []
    for one in found:
        if is_own(one.traceback[-1]):
            continue
        stack = [[frame.filename, frame.lineno] for frame in reversed(one.traceback)]
        delta = [one.count_diff, one.size_diff] if before else [0, 0]
        told.append([stack, one.count, one.size] + delta)
    return told


def describe(before):
    if not tracemalloc.is_tracing():
        return None, {}
    gc.collect()  # empties free lists: what lies there gets another site as soon as it is used again
    snapshot = tracemalloc.take_snapshot()
    keys = ("lineno", "filename", "traceback")
    told = {key: rows(snapshot, key) for key in keys}
    if before:
        told["compare"] = {key: rows(snapshot, key, before) for key in keys}
    told["limit"] = tracemalloc.get_traceback_limit()
    return snapshot, told


def tell(before):
    snapshot, told = describe(before)
    print(json.dumps(told))
    del told  # what was made to tell is not there any more when it is looked at, not even in free lists
    gc.collect()
    print("READY", flush=True)
    signal.sigwait([signal.SIGUSR1])
    return snapshot


def rehearse():
    """All that tell() does, so that what is made at the first time only has been made."""
    snapshot, told = describe(None)
    print(json.dumps(describe(snapshot)[1]))
    os.kill(os.getpid(), signal.SIGUSR1)
    signal.sigwait([signal.SIGUSR1])


def pretend():
    config = (ctypes.c_int * 3).in_dll(ctypes.pythonapi, "_Py_tracemalloc_config")
    config[1] = 1  # tracing
    print("READY", flush=True)
    signal.sigwait([signal.SIGUSR1])


def main():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    before = first = None
    for step in sys.argv[1:]:
        word, _, argument = step.partition("=")
        if word == "start":
            tracemalloc.start(int(argument))
        elif word == "stop":
            tracemalloc.stop()
        elif word == "clear":
            tracemalloc.clear_traces()
        elif word == "work":
            sites_work.work()
        elif word == "drop":
            sites_work.drop()
        elif word == "track":
            sites_work.track()
        elif word == "rehearse":
            rehearse()
        elif word == "pretend":
            pretend()
        elif word == "tell":
            before, first = tell(before), before
        elif word == "again":
            tell(first)


main()
