# SPDX-License-Identifier: Apache-2.0
"""The shortest chain of references: the one that objgraph's way of searching would find."""
import gc
import random
import sys
import types

import pytest

import heapwhy
from heapwhy import _heapwhy


class Link:
    pass


def slowly(obj, predicate, edges, max_depth, ignore):
    """Object after object, breadth first, as objgraph searches."""
    ignore = set(ignore)
    found, parents = [obj], {id(obj): None}
    depths = {id(obj): 0}
    for target in found:
        if predicate(target):
            chain = [target]
            while parents[id(target)] is not None:
                target = parents[id(target)]
                chain.append(target)
            return chain[::-1]
        if depths[id(target)] < max_depth:
            for source in edges(target):
                if id(source) not in parents and id(source) not in ignore:
                    parents[id(source)], depths[id(source)] = target, depths[id(target)] + 1
                    found.append(source)
    return None


def web(seed, size=60):
    """Objects that refer to each other at random; the first and the last of them."""
    chance = random.Random(seed)
    links = [Link() for _ in range(size)]
    for i, link in enumerate(links):
        near = links[max(0, i - 9):i]
        some = chance.sample(near, min(len(near), chance.randrange(4)))
        link.held = chance.choice([list, tuple])(some)
    return links


@pytest.mark.parametrize("seed", range(20))
def test_the_same_chain_as_searching_one_by_one(seed):
    links = web(seed)
    goal = links[-1]
    members = {id(part) for link in links for part in (link, link.held, vars(link))}

    def inside(edges):
        return lambda obj: [other for other in edges(obj) if id(other) in members]

    ignore = [id(obj) for obj in gc.get_objects() if id(obj) not in members]
    for backward, edges, start, end in ((True, gc.get_referrers, links[0], goal), (False, gc.get_referents, goal, links[0])):
        expected = slowly(start, lambda obj: obj is end, inside(edges), 20, ())
        found = _heapwhy.find_chain(start, lambda obj: obj is end, 20, ignore, backward)
        assert list(map(id, found or [])) == list(map(id, expected or []))


def test_a_chain_from_a_module_is_an_expression():
    Link.registry = {"here": [Link()]}
    obj = Link.registry["here"][0]
    found = heapwhy.chain(obj)
    assert isinstance(found[0], types.ModuleType) and found[-1] is obj
    assert found.spelled == "sys.modules[%r].Link.registry['here'][0]" % __name__
    assert eval(found.spelled) is obj and sys
    del Link.registry


def test_modules_first_and_a_predicate_that_says_the_same_agree():
    Link.registry = [Link()]
    obj = Link.registry[0]
    quick = _heapwhy.find_chain(obj, None, 20, (), True)
    slow = _heapwhy.find_chain(obj, lambda found: _heapwhy.is_module(found), 20, (), True)
    assert list(map(id, quick)) == list(map(id, slow))
    del Link.registry


def test_none_is_found_in_a_cycle_or_too_far_away():
    obj = Link()
    obj.me = [[[obj]]]
    assert not heapwhy.chain(obj) and repr(heapwhy.chain(obj)) == "<Chain: none found>"
    Link.registry = [[[obj]]]
    assert not heapwhy.chain(obj, max_depth=2) and heapwhy.chain(obj, max_depth=20)
    assert not heapwhy.chain(obj, ignore=[id(Link.registry)])
    del Link.registry


def test_a_predicate_may_do_anything():
    obj = Link()
    kept = [obj, [obj], {"a": obj}]

    def clears(found):
        kept.clear()
        gc.collect()
        return False

    assert not heapwhy.chain(obj, clears, max_depth=3)

    def fails(found):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        heapwhy.chain(obj, fails)


def test_no_collection_runs():
    runs = []
    gc.callbacks.append(lambda phase, info: runs.append(phase))
    try:
        gc.disable()
        heapwhy.chain(Link())
        heapwhy.referrers(runs)
        _heapwhy.unreferred(None)
        assert not gc.isenabled() and not runs
    finally:
        gc.callbacks.pop()
        gc.enable()
    heapwhy.chain(Link())
    assert gc.isenabled()
