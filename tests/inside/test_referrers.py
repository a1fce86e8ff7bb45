# SPDX-License-Identifier: Apache-2.0
"""Who refers to an object: the same as gc.get_referrers() says, with names, and what that does not show."""
import gc
import json
import types

import pytest
from support import package_pythons, python_inside

import heapwhy
from heapwhy import _heapwhy


class Thing:
    pass


class Slotted:
    __slots__ = ("left", "right")


def names(obj):
    return {(type(found.object).__name__, found.kind, found.name) for found in heapwhy.referrers(obj)}


def test_the_same_objects_in_the_same_order_as_the_collector_says():
    target = Thing()
    keep = [[target], {"a": target}, (target, 1), {target}, Thing(), lambda: target]
    keep[4].attribute = target
    gc.collect()
    young = [target]
    mine = [id(found) for found in _heapwhy.referrers([target])[0]]
    theirs = [id(found) for found in gc.get_referrers(target) if type(found) is not types.FrameType]
    assert mine == theirs and id(young) in mine


def test_many_targets_in_one_pass():
    things = [Thing() for _ in range(100)]
    holders = [[thing] for thing in things]
    found = _heapwhy.referrers(things)
    assert [[id(holder)] for holder in holders] == [[id(one) for one in some] for some in found]
    assert _heapwhy.referrers([]) == []


def test_what_asks_is_no_referrer():
    thing = Thing()
    kept = [thing]
    found = _heapwhy.referrers([thing])
    assert len(found[0]) == 1 and found[0][0] is kept
    again = heapwhy.referrers(thing)
    assert [one.object for one in again] == [kept]
    assert heapwhy.referrers(thing, ignore=[id(kept)]) == []


def test_two_keys_give_two_names():
    thing = Thing()
    kept = {"one": thing, 2: thing, "three": None}
    assert names(thing) == {("dict", "key", "one"), ("dict", "key", 2)}
    assert [found.spelled for found in heapwhy.referrers(thing)] == ["['one']", "[2]"]
    assert kept


def test_each_kind_of_reference_has_its_name():
    thing = Thing()
    owner = Thing()
    owner.held = thing
    slots = Slotted()
    slots.right = thing
    as_key = {thing: 1}
    closure = (lambda value: lambda: value)(thing)

    def generate(local):
        yield local
    generator = generate(thing)
    next(generator)
    kept = [None, thing], (thing,), frozenset([thing]), as_key, closure, generator, slots
    found = names(thing)
    expected = {("list", "index", 1), ("tuple", "index", 0), ("frozenset", "element", None),
                ("cell", "attribute", "cell_contents"), ("dict", "as key", thing), ("Slotted", "attribute", "right")}
    assert expected <= found
    assert ("Thing", "attribute", "held") in found or ("dict", "key", "held") in found
    assert ("generator", "local", "local") in found or ("frame", "local", "local") in found
    assert ("", None) not in {(kind, name) for _, kind, name in found}
    assert kept


def test_a_bound_method_names_both_of_its_sides():
    thing = Thing()
    thing.method = types.MethodType(test_each_kind_of_reference_has_its_name, thing)
    assert {found.name for found in heapwhy.referents(thing.method)} >= {"__self__", "__func__"}


def test_an_untracked_holder_is_found():
    number = float("12345.678")
    nested = (((number,),),)
    gc.collect()  # the collector stops tracking it
    assert [found.object for found in heapwhy.referrers(number)] == [nested[0][0]]
    chain = heapwhy.chain(number, lambda obj: obj is nested)
    assert chain.objects == [nested, nested[0], nested[0][0], number]


def test_attributes_are_named_without_a_dict():
    before = _heapwhy.type_counts(None)
    things = [Thing() for _ in range(100)]
    for thing in things:
        thing.value = things
    found = [one for one in heapwhy.referrers(things) if type(one.object) is Thing]
    dicts = dict(_heapwhy.type_counts(None))[dict] - dict(before)[dict]
    if found:
        assert dicts < 10 and {one.spelled for one in found} == {".value"}


@pytest.mark.parametrize("python", package_pythons())
def test_an_instance_with_a_dict_hides_no_other_referrer(python):
    assert python_inside("""
import gc, heapwhy
class Thing: pass
class Other: pass
holder, other = Thing(), Other()
holder.value = other
vars(holder)  # its dict comes into being, and shares the values
late = [other]
gc.collect()
del Thing
other_at = id(other)
del other
kinds = [type(found.object).__name__ for found in heapwhy.referrers(late[0])]
print(sorted(kinds))
""", python).strip() in ("['Thing', 'list']", "['dict', 'list']")


def test_ids_that_are_no_addresses_are_passed_over():
    assert _heapwhy.tracked_at([0, -1, 7, 1 << 50, 1 << 70, "x", None]) == []
    other = Thing()
    asked = [0, -1, 7, id(other), 1 << 50, id(other) + 1, 1 << 70, id(other), "x", None]
    assert _heapwhy.objects_at(asked) == [other if number == id(other) else None for number in asked]
    thing = Thing()
    kept = [thing]
    assert _heapwhy.referrers([thing], [0, -1, 1 << 50, 1 << 70, "x"])[0] == [kept]


def test_code_objects_have_parts():
    found = {one.name for one in heapwhy.referents(names.__code__)}
    assert {"co_consts", "co_names", "co_filename"} <= found


@pytest.mark.parametrize("python", package_pythons())
def test_a_frozen_referrer_is_found(python):
    told = json.loads(python_inside("""
import gc, json, heapwhy
class Thing: pass
thing = Thing()
frozen = [thing]
gc.collect(); gc.freeze()
young = (thing, )
print(json.dumps([type(one.object).__name__ for one in heapwhy.referrers(thing)] + [str(heapwhy.chain(thing))]))
""", python))
    assert set(told[:-1]) == {"list", "tuple", "dict"}
    assert told[-1] == "<Chain sys.modules['__main__'].thing>"


@pytest.mark.parametrize("python", package_pythons())
def test_in_threads_after_fork_at_exit_and_in_a_development_build(python):
    told = python_inside("""
import os, sys, threading, subprocess
CODE = '''
import atexit, os, threading, heapwhy, heapwhy.edges, heapwhy.pictures
class Thing: pass
holder = [Thing()]
def look(where):
    found = heapwhy.referrers(holder[0])
    assert [one.object for one in found] == [holder], (where, found)
    assert heapwhy.chain(holder[0]).spelled == "sys.modules['__main__'].holder[0]"
    heapwhy.show_backrefs(holder[0])
thread = threading.Thread(target=look, args=["thread"])
thread.start(); thread.join()
child = os.fork()
if not child:
    look("child")
    os._exit(7)
assert os.waitpid(child, 0)[1] == 7 << 8
atexit.register(lambda: (look("exit"), print("looked", flush=True)))
class Late:
    def __del__(self):
        heapwhy.edges._heapwhy.referrers([self])
keep = Late(); keep.me = keep
'''
done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", CODE], stdout=subprocess.PIPE,
                      stderr=subprocess.PIPE, text=True)
assert not done.returncode and not done.stderr, done.stderr
print(done.stdout)
""", python)
    assert "looked" in told
