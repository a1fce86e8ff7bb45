# SPDX-License-Identifier: Apache-2.0
"""Allocates from functions whose names try to break what shows them, in two threads; waits, or ends: flame_work.py [end]"""
import json
import sys
import threading
import time
import types

kept = []
HOSTILE = ["</script><script>document.title='ran'</script>", "a;b", "quote\"s'", "new\nline ", "\x1b[31m\u202e", "&lt;<b>",
           "long" * 2500]


def allocate(count):
    kept.append([bytes(1000) for _ in range(count)])


def twice(count):
    allocate(count)
    allocate(count)


def parse():
    kept.append([json.loads('{"a": [1.5, 2.5], "b": "%s"}' % number) for number in range(500)])


def named(function, name):
    """The function, in a file and with a name that are hostile."""
    code = function.__code__.replace(co_filename="/srv/" + name + ".py", co_name=name)
    if hasattr(code, "co_qualname"):
        code = code.replace(co_qualname=name)
    return types.FunctionType(code, globals(), name)


def descend(depth):
    return descend(depth - 1) if depth else allocate(100)


def work():
    allocate(1000)
    twice(500)
    descend(20)
    for name in HOSTILE:
        named(allocate, name)(100)
    thread = threading.Thread(target=parse, name="parser")
    thread.start()
    thread.join()


work()
print("READY", flush=True)
time.sleep(0 if "end" in sys.argv else 600)
