# SPDX-License-Identifier: Apache-2.0
"""Heap sets: on small graphs whose answers are known, and on what guppy3 says of the same process."""
import gc
import json
import os
import subprocess
import sys

import pytest
from support import SYSTEM_PYTHON, TESTS, clean_environment, package_pythons, package_site, python_inside

import heapwhy
from heapwhy import _heapwhy

sys.path.insert(0, os.path.join(TESTS, "env"))
import peers  # noqa: E402

DEBUG_PYTHON = "/usr/bin/python3.11-dbg"
GUPPY = "guppy3==3.1.7"


class Node:
    pass


class Slotted:
    __slots__ = ("left", "right")


def chain(length):
    """[first, ..., last] of nodes, each held by the one before alone."""
    nodes = [Node() for _ in range(length)]
    for node, following in zip(nodes, nodes[1:]):
        node.next = following
    return nodes


def test_sets_are_combined_as_sets():
    objects = [Node() for _ in range(6)]
    low, high = heapwhy.heapset(objects[:4]), heapwhy.HeapSet.of(objects[2:])
    assert [len(s) for s in (low & high, low | high, low - high, low ^ high)] == [2, 6, 2, 4]
    assert low & high <= low and low & high < low and not low <= high and low != high
    assert low == heapwhy.heapset(objects[:4]) and low >= low & high
    assert objects[0] in low and objects[0] not in high and bool(low) and not low - low
    with pytest.raises(TypeError):
        low & 3
    with pytest.raises(TypeError):
        hash(low)


def test_a_set_keeps_nothing_alive():
    objects = [Node() for _ in range(100)]
    members = heapwhy.heapset(objects)
    record = next(iter(members))
    assert members.count == 100 and record.object in objects
    kept = objects[3]
    del objects
    assert members.count == 1 and len(members) == 100
    assert members.the_one is kept and [r.address for r in members] == [id(kept)]
    if record.address != id(kept):
        with pytest.raises(heapwhy.NotFoundError):
            record.object


def test_the_heap_has_what_the_collector_does_not_track():
    value = (((123456.5,),),)
    heap = heapwhy.heap()
    assert value[0][0][0] in heap and value in heap and Node in heap
    assert heap.size > 1_000_000


def test_since_is_what_has_come():
    before = heapwhy.heap()
    keep = [Node() for _ in range(1000)]
    new = heapwhy.heap(since=before)
    assert 900 < (new & Node).count <= 1000
    assert heapwhy.heapset(keep) <= heapwhy.heap()


def test_own_objects_appear_when_asked():
    mine = heapwhy.heap()
    partition = mine.by_class()
    assert mine not in heapwhy.heap() and partition not in heapwhy.heap()
    inner = [id(partition.rows), id(partition.rows[0]), id(partition.parts)]
    assert not heapwhy.HeapSet._from_addresses(inner) & heapwhy.heap()
    both = heapwhy.heap(own=True)
    assert mine in both and partition in both and heapwhy in both and heapwhy.HeapSet in both
    hidden = both - heapwhy.heap()
    for own in (heapwhy, heapwhy.HeapSet, heapwhy.heap, heapwhy.heap.__code__, heapwhy.heap.__doc__):
        assert own in hidden
    for others in (sys, os, gc, Node, test_own_objects_appear_when_asked, dict, sys.modules):
        assert others not in hidden


def test_types_and_sizes_are_those_of_getsizeof():
    objects = [1.5, "a" * 50, [1, 2], {1: 2}, Node(), Slotted(), (1, 2, 3), bytearray(100), {1, 2}]
    members = heapwhy.heapset(objects)
    assert members.size == sum(map(sys.getsizeof, objects))
    rows = {row.key: (row.count, row.bytes) for row in members.by_type().rows}
    assert rows == {type(o): (1, sys.getsizeof(o)) for o in objects}
    assert {row.key: row.count for row in members.by_size().rows} == {
        size: sum(sys.getsizeof(o) == size for o in objects) for size in map(sys.getsizeof, objects)}


def test_a_size_that_python_code_tells_counts():
    class Sized:
        def __sizeof__(self):
            return 1000

    class Broken:
        def __sizeof__(self):
            raise ValueError

    sized, broken = Sized(), Broken()
    assert heapwhy.heapset([sized]).size == sys.getsizeof(sized)
    assert heapwhy.heapset([sized, broken]).by_type()[0].the_one is sized
    assert heapwhy.heapset([broken]).count == 1


def test_a_partition_is_the_set():
    heap = heapwhy.heap()
    for partition in (heap.by_type(), heap.by_class(), heap.by_module(), heap.by_size(), heap.by_referrers(),
                      heap.by_via(), heap.by_unity()):
        parts = [partition[i] for i in range(min(len(partition), 40))] + [partition[40:]]
        assert sum(len(part) for part in parts) == sum(row.count for row in partition.rows)
        assert not parts[0] & parts[1:][-1]
        assert partition[:] <= heap
        assert [row.bytes for row in partition.rows] == sorted((row.bytes for row in partition.rows), reverse=True)
        assert abs(partition.rows[-1].cumulative - 1) < 1e-9
        assert all(len(line) <= 80 for line in repr(partition).splitlines())
        assert partition._repr_html_().count("<tr>") == 1 + min(len(partition), 50)
        json.dumps(partition.to_dicts())


def test_dicts_belong_to_classes():
    node, plain = Node(), {"a": 1}
    node.a = 1
    copy = Node.__dict__.copy()
    dicts = heapwhy.heapset([node.__dict__, plain, copy, os.__dict__])
    kinds = {row.kind: row.count for row in dicts.by_class().rows}
    assert kinds["dict (no owner)"] == 2 and kinds["dict of module"] == 1
    assert kinds["dict of %s.Node" % __name__] == 1
    assert dicts.owners == heapwhy.heapset([node, os])
    assert heapwhy.heapset([node]).owners == heapwhy.heapset([])


def test_modules_are_told():
    objects = [Node, Node(), test_modules_are_told, os, float("1.5"), json]
    rows = {row.kind: row.count for row in heapwhy.heapset(objects).by_module().rows}
    assert rows == {__name__: 3, "os": 1, "builtins": 1, "json": 1}


def test_referrers_make_kinds():
    a, b, both = object(), object(), object()
    in_list, in_dict = [a, both], {"k": b, "other": both}
    rows = heapwhy.heapset([a, b, both]).by_referrers().rows
    kinds = {row.kind: row.count for row in rows}
    assert kinds == {"<variable>, list": 1, "<variable>, dict (no owner)": 1, "<variable>, dict (no owner), list": 1}
    assert in_list and in_dict


def test_names_of_references_make_kinds():
    holder, slotted = Node(), Slotted()
    holder.thing, slotted.left = object(), object()
    items = [object()]
    table = {"key": object(), 7: object()}
    things = [holder.thing, slotted.left, items[0], table["key"], table[7]]
    members = heapwhy.heapset(things)
    things.clear()
    kinds = {row.kind: row.count for row in members.by_via().rows}
    assert kinds == {".thing": 1, ".left": 1, "[*]": 2, "['key']": 1}
    made = holder.__dict__  # with a dict an attribute is still an attribute
    assert made and ".thing" in {row.kind for row in members.by_via().rows}


def test_what_goes_with_a_set():
    nodes = chain(10)
    start, shared = nodes[0], nodes[5]
    first, third = heapwhy.heapset([start]), heapwhy.heapset([nodes[3]])
    del nodes
    assert (first.dominated & Node).count == 5
    assert (third.dominated & Node).count == 2
    assert (heapwhy.heapset([shared]).dominated & Node).count == 5
    assert first.dominated_size == first.dominated.size


def test_cycles_go_with_the_set():
    nodes = chain(10)
    nodes[-1].next = nodes[0]
    entrance = nodes[0]
    del nodes
    assert (heapwhy.heapset([entrance]).dominated & Node).count == 10


def test_c_code_that_holds_an_object_keeps_it():
    inner = [object()]
    outer = [inner]
    iterator = iter(inner)  # a list iterator refers to the list
    members = heapwhy.heapset([outer])
    del inner
    assert members.dominated.count == 1
    del iterator
    assert members.dominated.count == 3


def test_neighbours():
    a, b, c = chain(3)
    a.__dict__, b.__dict__
    middle = heapwhy.heapset([b])
    assert middle.referrers & heapwhy.heapset([a.__dict__, c]) == heapwhy.heapset([a.__dict__])
    assert heapwhy.heapset([b.__dict__]) <= middle.referents
    assert c in middle.reachable and a not in middle.reachable


def test_dominators_nearest_to_the_set():
    target = Node()
    inside, outside = [target], {"inside": None}
    outside["inside"] = inside
    global held
    held = outside
    members = heapwhy.heapset([target])
    inside.append({"loop": target, "back": inside})
    del target, inside, outside
    assert members.immediate_dominators.objects() == [held["inside"]]
    del held


def test_what_no_way_leads_to():
    nodes = chain(3)
    nodes[-1].next = nodes[0]
    members = heapwhy.heapset(nodes)
    assert not members.unreachable
    gc.disable()
    try:
        del nodes
        assert members.unreachable.count == 3
    finally:
        gc.enable()


def test_paths_are_all_shortest_ones():
    global paths_root
    target = Node()
    paths_root = {"left": [target], "right": [0, target], "long": [[target]]}
    members = heapwhy.heapset([target])
    del target
    name = "sys.modules[%r].paths_root" % __name__
    paths = members.shortest_paths()
    texts = sorted(path.text for path in paths)
    assert texts == [name + "['left'][0]", name + "['right'][1]"] and len(paths) == 2
    assert all(eval(text, {"sys": sys}) is members.the_one for text in texts)
    assert paths[0].steps[-1][1] is Node and paths[1].addresses[-1] == id(members.the_one)
    assert not paths.cut and json.dumps(paths.to_dicts()) and "paths_root" in repr(paths)
    left = heapwhy.heapset([paths_root["left"], paths_root["right"]])
    assert members.shortest_paths(avoid=left)[0].text == name + "['long'][0][0]"
    start = heapwhy.heapset([paths_root["long"]])
    assert [len(path) for path in members.shortest_paths(from_=start)] == [2]
    assert members.shortest_paths(limit=1).cut
    paths_root["long"] = None
    assert not len(members.shortest_paths(avoid=left)) and "no path" in repr(members.shortest_paths(avoid=left))
    del paths_root


def test_a_variable_begins_a_path():
    local = Node()
    paths = heapwhy.heapset([local]).shortest_paths()
    assert paths[0].text == "<local local of test_a_variable_begins_a_path at test_sets.py:%d>" % (
        test_a_variable_begins_a_path.__code__.co_firstlineno)


def test_long_chains_need_no_recursion():
    global long_chain
    nodes = chain(20_000)
    long_chain, last = nodes[0], nodes[-1]
    members = heapwhy.heapset([last])
    del nodes, last
    paths = members.shortest_paths(limit=100_000)
    assert len(paths) == 1 and paths[0].text.count(".next") == 19_999
    assert (heapwhy.heapset([long_chain]).dominated & Node).count == 20_000
    while long_chain.__dict__.get("next"):
        long_chain = long_chain.next
    del long_chain


def test_patterns_are_trees_of_kinds():
    global pattern_root
    things = [object() for _ in range(20)]
    pattern_root = [[thing] for thing in things[:15]] + [{"k": thing} for thing in things[15:]]
    members = heapwhy.heapset(things)
    del things
    pattern = members.reference_pattern()
    assert [(node.kind, node.count) for node in pattern] == [("object", 20)]
    below = pattern[0].children
    assert sorted((node.kind, node.count) for node in below) == [("dict (no owner)", 5), ("list", 15)]
    assert below[0].set == heapwhy.heapset(pattern_root[:15])
    assert [(node.kind, node.count) for node in below[0].children] == [("list", 1)]
    assert below[0].children[0].children[0].kind == "dict of module"
    assert below[0].children[0].children[0].state == "stop"
    assert pattern.node(1) is below[0] and len(repr(pattern).splitlines()) == len(pattern.nodes)
    assert json.dumps(pattern.to_dicts())
    assert [node.state for node in members.reference_pattern(depth=1)[0].children] == ["depth", "depth"]
    assert [node.kind for node in members.reference_pattern(width=1)[0].children] == ["list", "<more>"]
    del pattern_root


def test_patterns_end_in_cycles():
    ring = []
    ring.append([ring])
    members = heapwhy.heapset(ring)
    states = {node.state for node in members.reference_pattern(depth=20).nodes}
    assert "cycle" in states and "depth" not in states


def test_growth_is_the_difference():
    objects = [[1], [2], {3}, Node(), Node()]
    later = [[1], [2], [3], {4}]
    first, second = heapwhy.heapset(objects).by_type(), heapwhy.heapset(later).by_type()
    rows = {row.kind: (row.count, row.bytes) for row in second.diff(first).rows}
    one = sys.getsizeof([1])
    assert rows == {"list": (1, one), __name__ + ".Node": (-2, -2 * sys.getsizeof(objects[3]))}
    assert "-1 object, " in repr(second.diff(first))
    with pytest.raises(heapwhy.UsageError):
        second.diff(heapwhy.heapset(later).by_class())


def test_no_site_without_tracemalloc():
    with pytest.raises(heapwhy.UnsupportedError, match="tracemalloc is not running"):
        heapwhy.heapset([Node()]).by_site()


def test_wrong_arguments_are_told():
    for call in (lambda: heapwhy.heap(since=[1]), lambda: heapwhy.heapset(3), lambda: _heapwhy.partition([], "type"),
                 lambda: heapwhy.heapset([]).shortest_paths(from_=3), lambda: heapwhy.heapset([]).shortest_paths(avoid=[])):
        with pytest.raises(TypeError):
            call()
    for call in (lambda: _heapwhy.partition(heapwhy.heapset([]), "colour"),
                 lambda: heapwhy.heapset([]).reference_pattern(width=0)):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(KeyError):
        heapwhy.heapset([Node()]).by_type()["no such kind"]
    with pytest.raises(IndexError):
        heapwhy.heapset([Node()]).by_type()[5]


EVERYWHERE = """
import collections, gc, heapwhy, json, sys, threading, tracemalloc
class Node: pass
class Holder: pass
holder = Holder()
holder.nodes = [Node() for _ in range(50)]
for node in holder.nodes:
    node.pair = (float(id(node)),)
    node.table = {"k": [object()]}
queue = collections.deque([1, holder.nodes[7]])
def generate(thing):
    yield thing
running = generate(holder.nodes[9]); next(running)
def closure(captured):
    return lambda: captured
function = closure(holder.nodes[11])
nodes = heapwhy.heapset(holder.nodes)
def kinds(partition):
    return {row.kind: row.count for row in partition.rows}
told = {
    "dominated": kinds(heapwhy.heapset([holder]).dominated.by_type()),
    "path": heapwhy.heapset([holder.nodes[3].table["k"][0]]).shortest_paths()[0].text,
    "deque": [p.text for p in heapwhy.heapset([holder.nodes[7]]).shortest_paths(avoid=heapwhy.heapset([holder]))],
    "generator": [p.text for p in heapwhy.heapset([holder.nodes[9]]).shortest_paths(avoid=heapwhy.heapset([holder]))],
    "closure": [p.text for p in heapwhy.heapset([holder.nodes[11]]).shortest_paths(avoid=heapwhy.heapset([holder]))],
    "pattern": [n.kind for n in heapwhy.heapset([n.table["k"][0] for n in holder.nodes]).reference_pattern(depth=2).nodes],
    "type": kinds(nodes.by_type()),
}
waiting = threading.Event()
ready, member = threading.Event(), []
def wait():
    in_thread = Node()
    member.append(heapwhy.heapset([in_thread]))
    ready.set()
    waiting.wait()
thread = threading.Thread(target=wait); thread.start(); ready.wait()
told["thread"] = member[0].shortest_paths()[0].text
results = []
def work():
    for _ in range(5):
        results.append(heapwhy.heap().by_class()["__main__.Node"].count)
workers = [threading.Thread(target=work) for _ in range(4)]
[w.start() for w in workers]; [w.join() for w in workers]
told["threads"] = sorted(set(results))
waiting.set(); thread.join()
tracemalloc.start()
traced = [Node() for _ in range(5)]
told["site"] = kinds(heapwhy.heapset(traced).by_site())
gc.collect(); gc.freeze()
told["frozen"] = kinds(heapwhy.heap().by_type())["__main__.Node"]
import atexit
atexit.register(lambda: print(len(heapwhy.heap()) > 1000))
print(json.dumps(told))
"""


@pytest.mark.parametrize("python", package_pythons())
@pytest.mark.parametrize("mode", ["plain", "dev"])
def test_every_interpreter(python, mode):
    env = {"PYTHONDEVMODE": "1"} if mode == "dev" else {}
    lines = python_inside(EVERYWHERE, python, env=env).splitlines()
    told = json.loads(lines[0])
    dominated = told.pop("dominated")
    assert (dominated["float"], dominated["tuple"], dominated["object"]) == (46, 46, 46)
    assert dominated["__main__.Node"] == 46  # four have other holders, too
    assert told.pop("path") == "sys.modules['__main__'].holder.nodes[3].table['k'][0]"
    assert told.pop("deque") == ["sys.modules['__main__'].queue[1]"]
    assert told.pop("generator") in (["sys.modules['__main__'].running<local thing>"],
                                     ["sys.modules['__main__'].running.gi_frame<local thing>"])
    assert told.pop("closure") == ["sys.modules['__main__'].function.__closure__[0].cell_contents"]
    assert told.pop("pattern") == ["object", "list", "dict (no owner)"]
    assert told.pop("thread").startswith("<local in_thread of wait at <string>:")
    (site,) = told.pop("site")
    assert site.startswith("<string>:")
    assert told == {"type": {"__main__.Node": 50}, "threads": [51], "frozen": 55}
    assert lines[1] == "True"


def test_a_forked_child_has_sets_of_its_own():
    told = python_inside("""
import heapwhy, os
class Node: pass
node = Node()
before = heapwhy.heap()
pid = os.fork()
late = [Node() for _ in range(100)]
assert node in heapwhy.heap() and 90 < (heapwhy.heap(since=before) & Node).count <= 100
if pid == 0: os._exit(0)
print(os.waitpid(pid, 0)[1])
""")
    assert told == "0\n"


def test_many_addresses_of_one_hash_are_told_apart():
    objects = [[i] for i in range(50_000)]
    partition = heapwhy.heapset(objects).by_id()
    assert len(partition) == 50_000 and {row.count for row in partition.rows} == {1}
    assert partition[17].the_one in objects


REPEATED = """
import gc, heapwhy, sys
from heapwhy import _heapwhy
class Node: pass
class Sized:
    def __sizeof__(self): return 7
things = [Node(), Sized(), [1.5], {"a": {}}, (1, [2])]
things[0].thing = things[3]
s, t = heapwhy.heapset(things), heapwhy.heapset(things[2:])
calls = dict(
    combine=lambda: (s & t, s | t, s - t, s ^ t, s == t, s <= t, len(s), things[0] in s),
    heap=lambda: heapwhy.heap(since=s), type=lambda: repr(s.by_type()), cls=lambda: s.by_class()[0],
    module=lambda: s.by_module(), size=lambda: s.by_size(), referrers=lambda: s.by_referrers().rows,
    via=lambda: s.by_via().to_dicts(), id=lambda: s.by_id(), dominated=lambda: s.dominated_size,
    dominators=lambda: s.immediate_dominators, neighbours=lambda: (s.referrers, s.referents, s.owners),
    unreachable=lambda: s.unreachable, records=lambda: list(s), paths=lambda: repr(s.shortest_paths()),
    from_=lambda: list(s.shortest_paths(from_=t)), pattern=lambda: repr(s.reference_pattern(depth=3)),
    fails=lambda: [fails(f) for f in (lambda: s.by_site(), lambda: heapwhy.heap(since=1), lambda: _heapwhy.partition(s, "no"))],
    census=lambda: _heapwhy.census(), diff=lambda: repr(s.by_type().diff(t.by_type())))
def fails(f):
    try: f()
    except Exception: return
    raise AssertionError
times = int(sys.argv[1])
def grown(call):
    for _ in range(3): call()
    gc.collect()
    before = sys.gettotalrefcount()
    for _ in range(times if call is not calls["combine"] else 100 * times): call()
    gc.collect()
    return sys.gettotalrefcount() - before
told = {name: grown(call) for name, call in calls.items()}
print({name: growth for name, growth in told.items() if abs(growth) >= times // 4})
"""


@pytest.mark.skipif(DEBUG_PYTHON not in package_pythons(), reason="needs a debug build of Python")
def test_no_reference_is_left_over():
    times = os.environ.get("HEAPWHY_REPEATS", "12")
    done = subprocess.run([DEBUG_PYTHON, "-S", "-c", REPEATED, times], stdout=subprocess.PIPE, text=True, check=True,
                          env={**clean_environment(), "PYTHONPATH": package_site()})
    assert done.stdout == "{}\n"


PEER = """
import gc, json, sys
class Node: pass
class Root: pass
root = Root()
root.items = [Node() for _ in range(500)]
for i, n in enumerate(root.items):
    n.pair = (1.5 * i + 1e6,)
    n.table = {"k": [object()]}
    n.__dict__
root.__dict__  # guppy3 makes dicts where it looks
def guppy3():
    from guppy import hpy
    hp = hpy()
    heap = hp.heap()
    return {
        "nodes": (heap & Node).count, "floats": (heap & float).count >= 500,
        "domisize": hp.iso(root).domisize, "dominos": hp.iso(root).dominos.count,
        "one": hp.iso(root.items[7]).domisize,
        "path": str(hp.iso(root.items[7].table["k"][0]).sp).split("['root']", 1)[1],
        "referrers": hp.iso(*[n.table["k"][0] for n in root.items]).referrers.count,
    }
def ours():
    import heapwhy
    heap = heapwhy.heap()
    inside = heapwhy.heapset([root])
    path = heapwhy.heapset([root.items[7].table["k"][0]]).shortest_paths()[0]
    return {
        "nodes": (heap & Node).count, "floats": (heap & float).count >= 500,
        "domisize": inside.dominated_size, "dominos": inside.dominated.count,
        "one": heapwhy.heapset([root.items[7]]).dominated_size,
        "path": "".join(label for label, _ in path.steps).split("['root']", 1)[1],
        "referrers": heapwhy.heapset([n.table["k"][0] for n in root.items]).referrers.count,
    }
said = ours()  # first, as guppy3 leaves references to everything behind
print(json.dumps([guppy3(), said]))
"""


def test_guppy3_says_the_same():
    try:
        python = peers.environment("guppy3", SYSTEM_PYTHON, [GUPPY])
    except OSError as error:
        pytest.skip("%s can't be had here: %s" % (GUPPY, error))
    theirs, ours = json.loads(python_inside(PEER, python))
    assert ours == theirs
