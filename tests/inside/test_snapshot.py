# SPDX-License-Identifier: Apache-2.0
"""Snapshots from inside: their answers are the program's, and their records lead back to live objects."""
import gc
import json
import re
import sys
import time

import pytest
from support import heapwhy as program, heapwhy_binary, heapwhy_json, package_pythons, python_inside

import heapwhy
from heapwhy import _heapwhy


class Item:
    def __init__(self, number):
        self.name = "item-%d" % number


class Hub:
    pass


HUB = Hub()
HUB.items = [Item(i) for i in range(300)]
HERE = "sys.modules['%s'].HUB.items" % __name__


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    path = tmp_path_factory.mktemp("snapshot") / "self.hw"
    with heapwhy.snapshot(path) as one:
        yield one, str(path)


QUESTIONS = [
    ("types", lambda s: s.types(), []),
    ("holders", lambda s: s.holders(HERE), [HERE]),
    ("show", lambda s: s.referents(HERE), [HERE]),
    ("paths", lambda s: s.paths(Item), [__name__ + ".Item"]),
    ("owners", lambda s: s.owners(Item), [__name__ + ".Item"]),
    ("retained", lambda s: s.retained(), []),
    ("retained", lambda s: s.retained(HERE), [HERE]),
    ("tree", lambda s: s.tree(), []),
    ("cycles", lambda s: s.cycles(), []),
    ("gc", lambda s: s.collector(), []),
    ("audit", lambda s: s.audit(), []),
    ("memory", lambda s: s.memory(), []),
    ("resources", lambda s: s.resources(), []),
    ("diagnose", lambda s: s.diagnose(), []),
]


@pytest.mark.parametrize("command,ask,words", QUESTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_answers_are_the_programs(taken, command, ask, words):
    one, path = taken
    assert ask(one).to_dict() == heapwhy_json(command, path, *words, "--json")


@pytest.mark.parametrize("command,ask,words", QUESTIONS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_answer_prints_as_the_program_does(taken, command, ask, words):
    """To a terminal: there, and here, long names are cut."""
    one, path = taken
    told, printed = repr(ask(one)).splitlines(), program(command, path, *words).splitlines()
    assert told[0] == printed[0]
    assert len(told) <= len(printed)
    assert len(set(told) & set(printed)) > len(told) // 2


def test_what_it_loads_is_what_it_saved(taken):
    one, path = taken
    with heapwhy.open(path) as again:
        assert again.types() == one.types()
        assert again.facts.to_dict() == one.facts.to_dict()


def test_from_inside_as_from_outside():
    """The same process, seen by itself and by the program."""
    told = json.loads(python_inside("""
import gc, heapwhy, heapwhy.snapshots, json, os, subprocess, sys
class Item: pass
keep = {i: Item() for i in range(500)}
for item in keep.values(): item.partner = [item]
gc.disable()
subprocess.run([sys.argv[1], "types", str(os.getpid()), "--json"], stdout=subprocess.PIPE, check=True)
outside = subprocess.run([sys.argv[1], "types", str(os.getpid()), "--json"], stdout=subprocess.PIPE, check=True).stdout
inside = heapwhy.snapshot(own=True).types()
print(json.dumps([{row["type"]: row["objects"] for row in json.loads(outside)["types"]}, {row.type: row.objects for row in inside}]))
""", args=[heapwhy_binary()]))
    outside, inside = told
    assert inside["__main__.Item"] == outside["__main__.Item"] == 500
    wrong = {name: (outside.get(name, 0), inside.get(name, 0)) for name in set(outside) | set(inside)
             if abs(outside.get(name, 0) - inside.get(name, 0)) > 25 + outside.get(name, 0) // 50}
    assert not wrong


def test_another_process_can_be_asked(tmp_path):
    told = python_inside("""
import heapwhy, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "class Item: pass\\nkeep=[Item() for _ in range(99)]\\nprint(1, flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
with heapwhy.snapshot(pid=child.pid) as s:
    rows = s.objects("__main__.Item")
    try:
        rows[0].object
    except LookupError as error:
        print(len(rows), s.facts.pid == child.pid, error)
child.communicate(b"\\n")
""")
    assert re.match(r"99 True 0x[0-9a-f]+ was an object of another process", told)


# ---- objects and records ----

def test_a_live_object_is_found_and_led_back_to(taken):
    one, _ = taken
    item = HUB.items[7]
    chain = one.holders(item)[0]
    assert chain.path == HERE + "[7]"
    assert chain.steps[-1].object is item
    assert chain.steps[-1].addr == id(item)
    assert one.holders(id(item))[0] == chain == one.holders(chain.steps[-1])[0]
    (link,) = [link for link in one.referrers(item) if link.addr == id(HUB.items)]  # other tests may hold it, too
    assert link.object is HUB.items
    assert {link.object for link in one.referents(item)} >= {Item}
    assert one.retained(HUB)[0].retained_objects >= 601


def test_what_is_gone_is_not_led_back_to():
    class Short:
        pass
    short = Short()
    with heapwhy.snapshot() as one:
        row = one.objects(Short)[0]
    assert row.object is short
    del short
    with pytest.raises(LookupError, match="any more"):
        row.object
    with pytest.raises(LookupError, match="no address"):
        heapwhy.types()[0].object


def test_what_was_made_later_is_not_in_it(taken):
    one, _ = taken

    class Later:  # an object of a known type could lie where one of the snapshot was
        pass

    with pytest.raises(heapwhy.NotFoundError):
        one.holders(Later())
    with pytest.raises(heapwhy.NotFoundError):
        one.holders("sys.modules['nowhere'].x")


def test_objects_are_columns_and_rows(taken):
    one, _ = taken
    items = one.objects(Item)
    assert len(items) == 300
    assert set(items.addresses) == {id(item) for item in HUB.items}
    assert list(items.sizes) == [row.size for row in items]
    assert {row.size for row in items} == {sys.getsizeof(HUB.items[0])}
    assert set(map(id, items.live())) == set(items.addresses)
    assert len(items[10:20]) == 10 and items[-1] == items[299]
    with pytest.raises(IndexError):
        items[300]


def test_live_gives_no_object_of_another_type():
    told = python_inside("""
import heapwhy
class Before: __slots__ = ("a", "b")
class After: __slots__ = ("a", "b")
things = [Before() for _ in range(1000)]
found = heapwhy.snapshot().objects(Before)
kept = set(map(id, things[::2]))
del things[1::2]
others = [After() for _ in range(3000)]
reused = set(map(id, others)) & set(found.addresses)
live = found.live()
print(len(found), len(reused) > 0, {type(thing).__name__ for thing in live} == {"Before", "NoneType"},
      {id(thing) for thing in live if thing is not None} == kept)
""")
    assert told.split() == ["1000", "True", "True", "True"]


def test_rows_are_sequences(taken):
    one, _ = taken
    rows = one.types()
    assert rows[:3].to_dicts() == rows.to_dict()["types"][:3]
    assert [row.type for row in rows.filter(type=__name__ + ".Item")] == [__name__ + ".Item"]
    by_count = rows.sorted("objects", reverse=True)
    assert [row.objects for row in by_count] == sorted((row.objects for row in rows), reverse=True)
    assert sum(row.objects for row in rows) == rows.objects == one.facts.objects
    assert "<table>" in rows._repr_html_() and "<script" not in rows[:1]._repr_html_()
    assert one.holders(HERE)._repr_svg_().startswith("<svg")
    with pytest.raises(AttributeError, match="objects"):
        rows[0].colour
    assert "objects" in dir(rows[0])
    assert max(map(len, repr(rows[:30]).splitlines())) <= 80


def test_a_closed_snapshot_says_so():
    one = heapwhy.snapshot()
    rows = one.types()
    one.close()
    one.close()
    assert one.closed and "closed" in repr(one)
    assert rows[0].objects  # the answer lives on
    for ask in (one.types, lambda: one.facts, lambda: one.save("/tmp/never"), lambda: one.objects("dict")):
        with pytest.raises(heapwhy.UsageError, match="closed"):
            ask()


def test_errors_are_pythons_own(tmp_path):
    with pytest.raises(heapwhy.NotFoundError, match="no process"):
        heapwhy.snapshot(pid=2 ** 22 + 1)
    (tmp_path / "broken").write_bytes(b"nothing")
    with pytest.raises(heapwhy.CorruptError):
        heapwhy.open(tmp_path / "broken")
    with pytest.raises((OSError, LookupError)):
        heapwhy.open(tmp_path / "missing")
    with pytest.raises(TypeError):
        heapwhy.Snapshot()
    with pytest.raises(TypeError):
        _heapwhy.ask("types", (1,))
    with pytest.raises(ValueError):
        _heapwhy.ask("nothing", (heapwhy.snapshot(),))


# ---- ourselves ----

def test_heapwhy_is_not_in_its_own_answers():
    kept = heapwhy.snapshot()
    answers = [kept.types(), kept.holders(HERE), kept.memory(), kept.objects(Item)]
    records = [list(answer) for answer in answers]
    with heapwhy.snapshot() as one, heapwhy.snapshot(own=True) as all_of_it:
        assert not [row.type for row in one.types() if row.type.startswith("heapwhy")]
        assert [row.type for row in all_of_it.types() if row.type.startswith("heapwhy")]
        with pytest.raises(heapwhy.NotFoundError):
            one.holders(heapwhy)
        assert "heapwhy" not in " ".join(chain.path for chain in one.holders(HUB.items, chains=5))
        assert one.audit().references <= all_of_it.audit().references
        text = all_of_it.facts.objects - one.facts.objects
        assert text > 200
    assert records


def test_what_its_records_refer_to_keeps_its_count():
    """What only a record holds is left out with it; all else is explained, and held by who else holds it."""
    told = json.loads(python_inside("""
import heapwhy, heapwhy.records, json
class Item: pass
class Alone: pass
item = Item()
rows = heapwhy.records.Rows([item, Alone()])
s = heapwhy.snapshot()
print(json.dumps([[chain.path for chain in s.holders(item)], [row.type for row in s.audit()],
                  "__main__.Alone" in [row.type for row in s.types()],
                  "__main__.Alone" in [row.type for row in heapwhy.snapshot(own=True).types()]]))
"""))
    paths, unexplained, alone, alone_with_own = told
    assert paths[0] == "sys.modules['__main__'].item"
    assert not [name for name in unexplained if name.startswith("__main__")]
    assert (alone, alone_with_own) == (False, True)


@pytest.mark.parametrize("python", package_pythons())
def test_an_argument_is_not_held_by_the_question(python):
    """The object passed to us is told by its own holders; where it has none, by us."""
    told = json.loads(python_inside("""
import heapwhy, json
class Item: pass
class Hub: pass
hub = Hub()
hub.subs = {"x": [Item() for _ in range(9)]}
paths = [chain.path for chain in heapwhy.holders(hub.subs["x"][3], chains=9)]
sizes = [retained(hub.subs["x"][3])[0].retained_bytes for retained in (heapwhy.retained, heapwhy.snapshot().retained)]
sizes += [retained(hub)[0].retained_objects for retained in (heapwhy.retained, heapwhy.snapshot().retained)]
with heapwhy.snapshot() as s:
    referrers = [row.type for row in s.referrers(hub.subs["x"][3])]
try:
    alone = [chain.path for chain in heapwhy.holders(Item())]
except heapwhy.NotFoundError as error:
    alone = [str(error)]
ours = [chain.path for chain in heapwhy.snapshot(own=True).holders(hub.subs["x"][3])]
print(json.dumps([paths, sizes, referrers, alone, ours]))
""", python))
    paths, sizes, referrers, alone, ours = told
    assert paths == ["sys.modules['__main__'].hub.subs['x'][3]"]
    assert sizes[0] == sizes[1] and sizes[2] == sizes[3] >= 12
    assert referrers == ["list"]
    assert "heapwhy" in alone[0]
    assert ours[0] == paths[0]


def test_what_heapwhy_holds_alone_says_so():
    """Its count has a reference that nobody is seen to have, so it is not left out."""
    told = json.loads(python_inside("""
import ctypes, heapwhy, heapwhy.records, json
class Item: pass
item = Item()
ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
rows, address = heapwhy.records.Rows([item]), id(item)
del item
s = heapwhy.snapshot()
print(json.dumps([[chain.path for chain in s.holders(address)], [row.type for row in s.referrers(address)]]))
"""))
    paths, referrers = told
    assert [path.partition(">")[0] for path in paths] == ["<heapwhy itself"]
    assert referrers == ["<heapwhy itself>"]


# ---- over time ----

def test_growth_since_the_last_call():
    class Fresh:
        pass
    heapwhy.growth()
    kept = [Fresh() for _ in range(123)]
    rows = heapwhy.growth().filter(lambda row: row.type.endswith("Fresh"))
    assert [(row.objects_delta, row.objects) for row in rows] == [(123, 123)]
    del kept
    assert not heapwhy.growth().filter(lambda row: row.type.endswith("Fresh"))


def test_growth_does_not_count_what_it_remembers():
    told = json.loads(python_inside("""
import gc, json, heapwhy
gc.disable()
heapwhy.growth()
print(json.dumps([row.objects_delta for row in heapwhy.growth()]))
"""))
    assert sum(told) < 20  # the first result; of what was remembered there are hundreds


def test_growth_says_where():
    heapwhy.growth(holders=True)
    HUB.more = [Item(i) for i in range(400)]
    rows = heapwhy.growth(holders=True)
    assert [row.objects_delta for row in rows if row.type == __name__ + ".Item"] == [400]
    assert rows.holders[0].path.endswith(".more")
    del HUB.more


def test_watching_a_block():
    grown = []
    with heapwhy.watching() as w:
        for _ in range(2):
            grown += [Item(i) for i in range(200)]
            w.point("half")
    assert [name for name, _ in w.points] == ["start", "half", "half", "end"]
    assert [row.objects_delta for row in w.growth() if row.type == __name__ + ".Item"] == [400]
    assert [len(row.objects) for row in w.diff() if row.type == __name__ + ".Item"] == [4]
    assert w.diagnose().verdict in ("inconclusive", "leak", "steady", "fragmentation")
    w.close()
    assert not w.snapshots


def test_growth_is_a_picture_of_what_grew():
    with heapwhy.watching() as w:
        kept = [Item(i) for i in range(200)]
    for rows in (w.growth(), w.diff()):
        assert "test_snapshot.Item" in rows._repr_svg_()
    assert heapwhy.growth().filter(type="no.such")._repr_html_() is not None
    w.close()
    del kept


def test_watching_says_what_it_has():
    w = heapwhy.watching()
    assert repr(w) == "<heapwhy.Watching: 0 snapshots>"
    with w:
        w.point("half")
        w.point()
    assert repr(w) == "<heapwhy.Watching: 4 snapshots (start, half, end)>"
    w.close()
    with heapwhy.watching(interval=60) as w:
        assert repr(w) == "<heapwhy.Watching: 1 snapshot (start), every 60 s>"
    w.close()


def test_rows_are_chosen_by_fields_that_there_are(taken):
    one, _ = taken
    rows = one.types()
    assert len(rows.filter(type="dict")) == 1 and not rows.filter(type="no such")
    for wrong in ({"tpye": "dict"}, {"to_dict": 1}, {"_row": 1}):
        with pytest.raises(AttributeError, match="TypeRow has no field '%s'; it has type, " % next(iter(wrong))):
            rows.filter(**wrong)
    assert not rows[:0].filter(tpye="dict")
    assert not rows.filter(object=HUB)  # types have none
    held = Item(1)
    with heapwhy.snapshot() as now:
        items = now.objects(Item)
        assert [row.addr for row in items.filter(object=held)] == [id(held)]
        address = id(held)
        del held
        assert not items.filter(object=None) and items.filter(addr=address)


def test_watching_at_an_interval_keeps_a_bounded_number():
    with heapwhy.watching(interval=0.01, keep=3, values=False) as w:
        deadline = time.monotonic() + 60
        while w._interval < 0.04 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert w._interval >= 0.04
    assert len(w.snapshots) <= 5
    assert w.error is None
    assert w.diff().snapshots[0].at < w.diff().snapshots[-1].at
    w.close()


def test_our_own_memory_is_no_leak():
    """Snapshots that are kept are megabytes of malloc's blocks: they are ours, not the program's."""
    told = json.loads(python_inside("""
import heapwhy, json
keep = [{str(i): [i]} for i in range(50000)]
with heapwhy.watching() as w:
    for _ in range(3): w.point("x")
print(json.dumps([w.diagnose().to_dict()["verdict"], [s.type for s in w.diagnose()]]))
"""))
    assert told[0] != "leak" and told[1] == []


def test_no_reference_is_kept():
    with heapwhy.snapshot() as one:
        item = HUB.items[0]
        counts = []
        for _ in range(40):
            one.types().to_dicts()
            one.holders(item, chains=1)[0].steps[-1]
            one.objects(Item)[0]
            one._facts
            with pytest.raises(heapwhy.NotFoundError):
                one.holders("nowhere.at.all")
            counts.append((sys.getrefcount(item), sys.getrefcount(one), sys.getrefcount(Item)))
        assert counts[0] == counts[-1]
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(10):
        heapwhy.snapshot().close()
    gc.collect()
    assert len(gc.get_objects()) - before < 10


SITES = """
import json, sys, heapwhy
def made(n): return [str(i) * 20 for i in range(n)]
kept = made(500)
before = heapwhy.snapshot()
kept += made(700)
now = heapwhy.snapshot()
rows = {row.line: row for row in now.sites(before) if row.file == "<string>"}
stacks = [row for row in now.sites(before, by="traceback") if row.file == "<string>" and row.bytes_delta > 30000]
try:
    now.sites(by="colour")
except heapwhy.UsageError as e:
    refused = str(e)
print(json.dumps([rows[3].blocks_delta, rows[3].objects, rows[3].type, [c.line for c in stacks[0].callers], refused]))
"""


@pytest.mark.parametrize("python", package_pythons(), ids=lambda path: path)
def test_sites_of_a_program_that_traces(python):
    delta, objects, kind, callers, refused = json.loads(python_inside(SITES, python, env={"PYTHONTRACEMALLOC": "4"}))
    assert abs(delta - 700) <= 5 and 1200 <= objects <= 1205  # tables of lists come and go beside the texts
    assert kind == "str" and callers[-1:] == [6]
    assert "traceback" in refused


def test_without_tracing_there_are_no_sites(taken):
    one, path = taken
    with pytest.raises(heapwhy.UnsupportedError, match="tracemalloc.start"):
        one.sites()
    with pytest.raises(heapwhy.UnsupportedError, match="tracemalloc.start"):
        heapwhy.sites()


def test_sites_of_now():
    told = python_inside("""
import heapwhy
kept = ["text %d" % n for n in range(3000)]
print([row.line for row in heapwhy.sites() if row.file == "<string>" and row.blocks >= 3000][0], len(heapwhy.sites(by="filename")) > 0,
      heapwhy.sites(by="traceback")[0].callers is not None)
""", env={"PYTHONTRACEMALLOC": "2"})
    assert told.split() == ["3", "True", "True"]
