# SPDX-License-Identifier: Apache-2.0
"""Tests that leak, one kind each. The docstring is a regular expression that what is told must match."""
import asyncio
import contextvars
import ctypes
import functools
import gc
import io
import threading
import types

import pytest

REGISTRY, BY_NUMBER, TEXTS, NOTHINGS, MEMBERS = [], {}, {}, [], set()
LOG = bytearray()
ERRORS, FILES, TASKS, CALLBACKS, GENERATORS, CLASSES, FUTURES = [], [], set(), [], [], [], []


class Session:
    def __init__(self):
        self.data = {}

    @functools.lru_cache(maxsize=128)
    def total(self):
        return 1

    def on_event(self):
        pass


class Hub:
    def __init__(self):
        self.listeners = []


hub = Hub()
local = threading.local()
local.sessions = []
history = contextvars.ContextVar("history", default=None)
loop = asyncio.new_event_loop()


class Stack(Session):
    instances = []

    def __init__(self):
        super().__init__()
        self.instances.append(self)


def test_list_of_a_module():
    r"""leaky'\]\.REGISTRY  list, \+1 item a repeat, the last is leaky\.Session"""
    REGISTRY.append(Session())


def test_dict_of_a_module():
    r"""leaky'\]\.BY_NUMBER  dict, \+2 items a repeat, the last is leaky\.Session"""
    for _ in range(2):
        BY_NUMBER[len(BY_NUMBER)] = Session()


def test_texts_alone():
    r"""leaky'\]\.TEXTS  dict, \+1 item a repeat, the last is str"""
    TEXTS["key %d" % len(TEXTS)] = "value %d" % len(TEXTS)


def test_no_new_object_at_all():
    r"""leaky'\]\.NOTHINGS  list, \+1 item a repeat, the last is NoneType"""
    NOTHINGS.append(None)


def test_bytes_in_place():
    r"""leaky'\]\.LOG  bytearray, \+5 bytes a repeat"""
    LOG.extend(b"line\n")


def test_set():
    r"""leaky'\]\.MEMBERS  set, \+1 item a repeat"""
    MEMBERS.add(Session())


def test_attribute_of_a_class():
    r"""leaky'\]\.Stack\.instances  list, \+1 item a repeat, the last is leaky\.Stack"""
    Stack()


def test_listener_never_taken_off():
    r"""leaky'\]\.hub\.listeners  list, \+1 item a repeat, the last is method[\s\S]*listeners\[\d+\]\.__self__  leaky\.Session"""
    hub.listeners.append(Session().on_event)


def test_cache_of_a_method():
    r"""Session\.total's cache of calls: functools\.lru_cache on a method keeps self \(maxsize=128\): leaky\.Session"""
    Session().total()


def test_closure():
    r"""leaky'\]\.CALLBACKS\[\d+\]\.__closure__\[0\]\.cell_contents  leaky\.Session"""
    session = Session()
    CALLBACKS.append(lambda: session)


def test_partial():
    r"""leaky'\]\.hub\.listeners\[\d+\]\.args\[0\]  leaky\.Session"""
    hub.listeners.append(functools.partial(print, Session()))


def test_thread_local():
    r"""leaky'\]\.local\.sessions  list, \+1 item a repeat, the last is leaky\.Session"""
    local.sessions.append(Session())


def test_context_variable():
    r"""<context variable history>.*  leaky\.Session"""
    session = Session()
    session.before = history.get()
    history.set(session)


def test_traceback_of_an_error():
    r"""leaky'\]\.ERRORS\[\d+\]\.__traceback__\.tb_frame\.f_locals\['session'\]  leaky\.Session"""
    session = Session()
    try:
        raise ValueError(session.data)
    except ValueError as error:
        ERRORS.append(error)


def test_file_left_open(tmp_path):
    r"""leaky'\]\.FILES  list, \+1 item a repeat, the last is _io\.TextIOWrapper"""
    FILES.append(open(tmp_path / "file", "w", encoding="utf-8"))


def test_task_that_never_ends():
    r"""leaky'\]\.TASKS  set, \+1 item a repeat, the last is _asyncio\.Task"""
    async def work():
        session = Session()
        await asyncio.Event().wait()
        session.data.clear()

    async def main():
        TASKS.add(asyncio.ensure_future(work()))
        await asyncio.sleep(0)

    loop.run_until_complete(main())


def test_generator_that_is_kept():
    r"""leaky'\]\.GENERATORS  list, \+1 item a repeat, the last is generator"""
    def numbers():
        session = Session()
        yield session
        yield 2

    generator = numbers()
    next(generator)
    GENERATORS.append(generator)


def test_class_made_anew_and_kept():
    r"""leaky'\]\.CLASSES  list, \+1 item a repeat, the last is type"""
    CLASSES.append(type("Made", (), {}))


def test_thread_that_never_ends():
    r"""leaky\.Session"""
    session, gate = Session(), threading.Event()
    FUTURES.append(gate)
    threading.Thread(target=lambda: (gate.wait(), session), daemon=True).start()


def test_stream_list():
    r"""leaky'\]\.hub\.stream  list, \+1 item a repeat, the last is _io\.StringIO"""
    hub.__dict__.setdefault("stream", []).append(io.StringIO("x" * 100))


@pytest.fixture
def collector_off():
    gc.disable()
    yield
    # stays off: a program that runs so


def test_reference_lost_in_c():
    r"""nothing that Python can see: C code kept, or lost, a reference.*  leaky\.Session"""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(Session()))


def test_reference_lost_in_c_to_a_text():
    r"""nobody: no object that can be reached"""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object("lost %s" % object()))


def test_cycle_while_the_collector_is_off(collector_off):
    r"""only a cycle: leaky\.Session\.(parent|child) -> leaky\.Session\.(parent|child)"""
    parent, child = Session(), Session()
    parent.child, child.parent = child, parent


def test_cycle_by_method_while_the_collector_is_off(collector_off):
    r"""only a cycle: types\.SimpleNamespace"""
    space = types.SimpleNamespace()
    space.own = space


def test_collector_on_again():
    r"""^$"""
    gc.enable()
    gc.collect()
