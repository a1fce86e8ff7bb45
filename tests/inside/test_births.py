# SPDX-License-Identifier: Apache-2.0
"""Births: what grew in every look, who was born, which containers got more."""
import gc
import json

import pytest
from support import package_pythons, python_inside

import heapwhy
from heapwhy import _heapwhy


class Thing:
    pass


BUFFER = bytearray()


def test_growth_in_every_look():
    kept = []
    births = _heapwhy.Births()
    for _ in range(3):
        kept.append(Thing())
        BUFFER.extend(b"ab")
        births.look()
    growing = {name: row for name, *row in births.growing()}
    assert growing["test_births.Thing"][0] == 1 and growing["bytearray"][2] == 2
    births.look()
    assert not {"test_births.Thing", "bytearray"} & {name for name, *row in births.growing()}


def test_growth_is_for_each_repeat():
    kept = []
    births = _heapwhy.Births()
    kept += [Thing() for _ in range(40)]
    births.look(20)
    assert {name: row[0] for name, *row in births.growing()}["test_births.Thing"] == 2


def test_who_was_born_and_is_alive():
    old, kept = Thing(), []
    births = _heapwhy.Births()
    new = Thing()
    Thing()
    kept.append(new)
    births.look()
    assert births.born("test_births.Thing") == [new]
    assert births.born("no.such.Type") == [] and len(births.born(limit=1)) == 1
    assert any(container is kept and more == 1 for container, more in births.grown())
    assert old is not new


def test_nothing_is_kept_alive():
    births = _heapwhy.Births()
    thing = Thing()
    births.look()
    assert len(gc.get_referrers(thing)) <= 1
    del thing
    assert births.born("test_births.Thing") == []


def test_no_leaks_as_an_assertion():
    kept = []
    heapwhy.no_leaks(lambda: [Thing()])
    with pytest.raises(AssertionError, match="test_births.Thing"):
        heapwhy.no_leaks(lambda: kept.append(Thing()))
    with pytest.raises(ZeroDivisionError):
        heapwhy.no_leaks(lambda: 1 // 0)


@pytest.mark.parametrize("python", package_pythons())
def test_every_interpreter_finds_and_spells_the_holder(python):
    told = json.loads(python_inside("""
import json, sys, types, heapwhy
app = types.ModuleType("app"); sys.modules["app"] = app
class Hub: pass
app.hub = Hub(); app.hub.listeners = []
class Listener: pass
leak = heapwhy.find_leak(lambda: app.hub.listeners.append(Listener()))
print(json.dumps([leak.types, leak.holders, heapwhy.find_leak(lambda: Listener()) is None]))
""", python))
    assert ["__main__.Listener", 1] in [row[:2] for row in told[0]]
    assert told[1] == ["sys.modules['app'].hub.listeners  list, +1 item a repeat, the last is __main__.Listener"]
    assert told[2]


@pytest.mark.parametrize("python", [python for python in package_pythons() if python.endswith("-dbg")])
def test_no_function_leaks_a_reference(python):
    """On a debug build, where the interpreter counts all references."""
    told = json.loads(python_inside("""
import gc, json, sys, heapwhy
from heapwhy import _heapwhy, holder, leakcheck
from heapwhy.collector import garbage, cycles_forbidden, collector_state, uncollectable
gc.collect(); gc.freeze(); gc.disable()
class Node: pass
kept = []
def cycle():
    node = Node(); node.own = node
def births():
    births = _heapwhy.Births(); kept.append(Node()); births.look(); births.growing()
    births.born("__main__.Node"); births.born(limit=2); births.born("x"); births.grown(); kept.clear()
def refused():
    for call in (lambda: _heapwhy.Births(1), lambda: _heapwhy.garbage(1, 2), lambda: _heapwhy.Dump(1, []),
                 lambda: _heapwhy.Dump("a", [1])):
        try: call()
        except TypeError: pass
def dump():
    dump = _heapwhy.Dump("/bin/true", ["/tmp/x", "/tmp/y"]); hook = dump.hook(None); hook(ValueError, None, None)
    dump.pressure([]); dump.taken; dump.stop()
def watch():
    dump = _heapwhy.Dump("/bin/true", ["/tmp/x"]); dump.watch([], 0.9, 1000); dump.stop()
functions = {
    "births": births, "garbage": lambda: (cycle(), _heapwhy.garbage(), gc.collect()),
    "count": lambda: _heapwhy.garbage(count=True), "report": lambda: (cycle(), garbage(), gc.collect()),
    "forbidden": lambda: cycles_forbidden(lambda found: None).__enter__().__exit__(None, None, None) or gc.collect(),
    "state": collector_state, "uncollectable": uncollectable, "refused": refused, "dump": dump, "watch": watch,
    "holder": lambda: holder.holder_path(kept),
}
times = int(sys.argv[1])
grown = {}
for name, function in functions.items():
    for _ in range(20): function()
    gc.collect(); before = sys.gettotalrefcount()
    for _ in range(times): function()
    gc.collect(); grown[name] = sys.gettotalrefcount() - before
print(json.dumps(grown))
""", python, [300]))
    assert not {name: more for name, more in told.items() if more > 20}
