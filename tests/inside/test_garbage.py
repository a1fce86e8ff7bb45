# SPDX-License-Identifier: Apache-2.0
"""What the collector would find: the same as what it then finds, and nothing is changed by asking."""
import gc
import json
import threading
import warnings

import pytest
from support import package_pythons, python_inside

import heapwhy
from heapwhy import _heapwhy, collector


class Node:
    pass


class Parent:
    def __init__(self):
        self.children = []

    def adopt(self, child):
        self.children.append(child)
        child.parent = self


class Connection:
    def __init__(self):
        self.handlers = {"chat": self.on_chat}

    def on_chat(self):
        pass


@pytest.fixture(autouse=True)
def collector_off():
    heapwhy.garbage()  # imports make garbage of their own
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


def make(*kinds):
    for kind in kinds:
        kind()


def self_reference():
    node = Node()
    node.own = node
    node.payload = [1, [2]]


def family():
    Parent().adopt(Node())


def test_nothing_at_first():
    assert not heapwhy.garbage() and str(heapwhy.garbage()) == "no cyclic garbage"
    assert _heapwhy.garbage(count=True) == (0, 0)


@pytest.mark.parametrize("kinds", [(self_reference,), (family,) * 3, (Connection, family, self_reference) * 50])
def test_as_many_as_the_collector_then_frees(kinds):
    make(*kinds)
    cycles, objects = _heapwhy.garbage(count=True)
    assert cycles == len(kinds)
    assert objects == gc.collect()


def test_paths_and_attributes():
    make(family, Connection, Connection)
    found = heapwhy.garbage()
    assert sorted(kind.path for kind in found.kinds) == [
        "test_garbage.Connection.handlers['chat'].__self__",
        "test_garbage.Parent.children[...] -> test_garbage.Node.parent"]
    assert dict(found.by_attribute())["test_garbage.Connection.handlers['chat'].__self__"] == 2
    assert dict(found.by_type())["test_garbage.Connection"] == 2
    assert found.cycles == 3 and "2 x test_garbage.Connection.handlers" in str(found)


def test_what_hangs_on_a_cycle_is_told_apart():
    make(self_reference)
    found = heapwhy.garbage()
    assert found.others == {"list": 2} and found.kinds[0].count == 1


def test_finalizers_are_told():
    class Final:
        def __del__(self):
            pass
    final = Final()
    final.own = final
    del final
    (kind,) = [kind for kind in heapwhy.garbage().kinds if "Final" in kind.path]
    assert kind.has_finalizer


def test_what_is_held_is_no_garbage():
    held = Node()
    held.own = held
    assert not heapwhy.garbage()
    del held
    assert heapwhy.garbage()


def test_asking_changes_nothing():
    make(self_reference)
    before = gc.get_debug(), gc.isenabled(), gc.get_threshold(), list(gc.garbage)
    assert heapwhy.garbage().cycles == heapwhy.garbage().cycles == 1
    assert before == (gc.get_debug(), gc.isenabled(), gc.get_threshold(), list(gc.garbage))


def test_a_very_long_cycle():
    first = last = Node()
    for _ in range(200000):
        last.next = Node()
        last = last.next
    last.next = first
    del first, last
    cycles, objects = _heapwhy.garbage(count=True)
    assert cycles == 1 and objects >= 200001
    assert gc.collect() == objects


def test_forbidden_cycles_are_an_error_that_names_them():
    with pytest.raises(heapwhy.CyclesError, match="Parent.children") as caught:
        with heapwhy.cycles_forbidden():
            make(family)
    assert caught.value.garbage.cycles == 1


def test_what_was_there_before_is_not_counted():
    make(family)
    with heapwhy.cycles_forbidden():
        Node()


def test_forbidden_cycles_as_warning_or_call():
    with pytest.warns(RuntimeWarning, match="Connection.handlers"):
        with heapwhy.cycles_forbidden("warn"):
            make(Connection)
    got = []
    with heapwhy.cycles_forbidden(got.append):
        make(family)
    assert [found.cycles for found in got] == [1]


def test_the_error_of_the_block_goes_on():
    with warnings.catch_warnings(record=True), pytest.raises(KeyError):
        with heapwhy.cycles_forbidden():
            make(family)
            raise KeyError


@pytest.mark.parametrize("enabled", [False, True])
def test_the_collector_is_as_before(enabled):
    (gc.enable if enabled else gc.disable)()
    with heapwhy.cycles_forbidden(lambda garbage: None):
        assert not gc.isenabled()
    assert gc.isenabled() == enabled
    gc.disable()


def test_nested_blocks():
    gc.enable()
    guard = heapwhy.cycles_forbidden()
    with pytest.warns(RuntimeWarning), pytest.raises(heapwhy.CyclesError):
        with guard:
            with guard:
                make(family)
    assert gc.isenabled()
    with pytest.raises(KeyError):
        with heapwhy.cycles_forbidden(), heapwhy.cycles_forbidden():
            raise KeyError
    assert gc.isenabled()
    gc.disable()


def test_blocks_of_threads_that_overlap():
    gc.enable()
    begun, over = threading.Event(), threading.Event()

    def block():
        with heapwhy.cycles_forbidden(lambda garbage: None):
            begun.set()
            over.wait()

    thread = threading.Thread(target=block)
    with heapwhy.cycles_forbidden(lambda garbage: None):
        thread.start()
        begun.wait()
    assert not gc.isenabled()
    over.set()
    thread.join()
    assert gc.isenabled()
    gc.disable()


def test_no_memory_for_the_look(monkeypatch):
    gc.enable()

    def fail():
        raise MemoryError

    monkeypatch.setattr(collector._heapwhy, "garbage", fail)
    with pytest.raises(MemoryError):
        with heapwhy.cycles_forbidden():
            raise AssertionError("not reached")
    assert gc.isenabled()
    gc.disable()


def test_unknown_actions_are_refused():
    with pytest.raises(ValueError):
        heapwhy.cycles_forbidden("print")


def test_state():
    state = heapwhy.collector_state()
    assert state.enabled is False and state.thresholds == gc.get_threshold() and state.debug == ()
    assert sum(state.collections) > 0


def test_uncollectable():
    assert heapwhy.uncollectable() == []
    gc.garbage.append(Node())
    try:
        assert heapwhy.uncollectable()[0][:2] == ("test_garbage.Node", 1)
    finally:
        gc.garbage.clear()


@pytest.mark.parametrize("python", package_pythons())
def test_every_interpreter_agrees_with_its_collector(python):
    told = json.loads(python_inside("""
import gc, json, heapwhy
from heapwhy import _heapwhy, collector
heapwhy.garbage()
gc.collect(); gc.disable()
class Node:
    def __init__(self, other=None):
        self.other = other or self
        self.bound = self.method
    def method(self): pass
for i in range(100):
    Node(Node())
    def f(): return f
    l = []; l.append((l, {1: l}))
    class Local: pass
del f, l, Local
told = _heapwhy.garbage(count=True)
print(json.dumps([told[1], gc.collect(), _heapwhy.garbage(count=True)]))
""", python))
    assert told[0] == told[1] and told[2] == [0, 0]


def test_a_generator_in_a_cycle():
    """The collector does not count these among what it has freed: its finalizer opens the cycle first."""
    def numbers():
        me = yield
        yield me
    generator = numbers()
    next(generator)
    generator.send(generator)
    del generator
    assert _heapwhy.garbage(count=True)[0] == 1


@pytest.mark.parametrize("python", package_pythons())
def test_no_dict_is_made_by_asking(python):
    told = json.loads(python_inside("""
import gc, heapwhy, json
class Node: pass
def ring():
    first, second = Node(), Node()
    setattr(first, "not in" + "code", second)
    setattr(second, "nor this", first)
def walked():
    first = Node()
    def wait():
        mine = first
        yield
    first.run = wait()
    next(first.run)
heapwhy.garbage()
gc.collect()
gc.disable()
for _ in range(50):
    ring()
    walked()
count = lambda: sum(type(obj) is dict for obj in gc.get_objects())
before = count()
found = heapwhy.garbage()
print(json.dumps([found.cycles, count() - before, [kind.path for kind in found.kinds]]))
""", python))
    assert told[0] == 100
    assert told[1] < 10  # of the answer; not one for each of 200 instances
    assert [path for path in told[2] if "not incode" in path and "nor this" in path]


def test_one_is_not_many():
    assert python_inside("""
import gc, heapwhy
gc.disable()
heapwhy.garbage()
gc.collect()
ring = []
ring.append(ring)
del ring
found = heapwhy.garbage()
print(repr(found))
print(found)
""").splitlines()[:2] == ["<Garbage: 1 cycle, 1 object>", "1 cycle, 1 object that only the collector can free"]


def test_a_forbidding_block_says_what_it_does():
    for action, text in (("raise", "'raise'"), (print, "a builtin_function_or_method")):
        block = heapwhy.cycles_forbidden(action)
        assert repr(block) == "<heapwhy.cycles_forbidden: %s, 0 blocks running>" % text
        with block:
            assert repr(block).endswith(", 1 block running>")
