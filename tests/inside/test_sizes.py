# SPDX-License-Identifier: Apache-2.0
"""sizeof(), deepsizeof(), lists of objects."""
import array
import collections
import gc
import json
import sys
import weakref

import pytest
from support import package_pythons, python_inside

import heapwhy
from heapwhy import _heapwhy


class Plain:
    pass


class Slots:
    __slots__ = ("a", "b")


def flat(*objects):
    return sum(map(sys.getsizeof, objects))


def test_sizeof_is_getsizeof():
    for item in (1, "a", [], {}, Plain(), Plain, len, sys, {1, 2}, array.array("d", [1.0])):
        assert heapwhy.sizeof(item) == sys.getsizeof(item)


def test_sizeof_of_what_refuses_is_that_of_the_fixed_part():
    class Odd:
        def __sizeof__(self):
            raise RuntimeError("no size")

    assert 0 < heapwhy.sizeof(Odd()) <= sys.getsizeof(Plain())


def test_each_object_counts_once():
    shared = [0.5]
    assert heapwhy.deepsizeof([shared, shared]) == flat([1, 2], shared, 0.5)
    loop = []
    loop.append(loop)
    assert heapwhy.deepsizeof(loop) == sys.getsizeof(loop)
    assert heapwhy.deepsizeof(shared, shared) == flat(shared, 0.5)


def test_contents_of_every_container_count():
    class List(list):
        pass

    text = "x" * 1000
    for make in (lambda: collections.deque([text]), lambda: List([text]), lambda: collections.OrderedDict(a=text),
                 lambda: (((text,),),), lambda: frozenset([text]), lambda: (c for c in [text]),
                 lambda: collections.defaultdict(list, a=text), lambda: iter([text])):
        assert heapwhy.deepsizeof(make()) > len(text), make


def test_attributes_count_and_no_dict_is_made():
    items = [Plain() for _ in range(100)]
    for item in items:
        item.text = "x" * 1000
    before = _heapwhy.summary(None, (), ())[0]
    size = heapwhy.deepsizeof(items)
    after = _heapwhy.summary(None, (), ())[0]
    assert size > 1000 + 100 * sys.getsizeof(items[0])
    dicts = [sum(count for kind, count, _ in rows if kind is dict) for rows in (before, after)]
    assert abs(dicts[0] - dicts[1]) < 10
    slots = Slots()
    slots.a = items[0].text
    assert heapwhy.deepsizeof(slots) == flat(slots, slots.a)


def test_code_counts_only_when_asked_for():
    big = ["x" * 1000]

    def function():
        return big

    data = [function, Plain, sys, len]
    assert heapwhy.deepsizeof(data) == sys.getsizeof(data)
    assert heapwhy.deepsizeof(data, code=True) > 1000 + sys.getsizeof(data)
    assert heapwhy.deepsizeof([function], code=True) < 20000, "globals are not a function's own"
    assert heapwhy.deepsizeof(function) > 1000, "what is given counts"
    assert heapwhy.deepsizeof([sys], modules=True) > 10000


def test_weak_references_hold_nothing_unless_asked():
    item = Plain()
    item.text = "x" * 1000
    ref = weakref.ref(item)
    assert heapwhy.deepsizeof(ref) < 1000 < heapwhy.deepsizeof(ref, weak=True)


def test_limit_is_a_distance():
    rows = [[[[0.5]]]]
    sizes = [heapwhy.deepsizeof(rows, limit=n) for n in range(6)]
    assert sizes == [flat(rows), flat(rows, rows[0]), flat(rows, rows[0], rows[0][0]),
                     flat(rows, rows[0], rows[0][0], rows[0][0][0])] + [heapwhy.deepsizeof(rows)] * 2


def test_options_and_their_errors():
    data = [0.5, "a"]
    assert heapwhy.deepsizeof(data, exclude=[data[0]]) == flat(data, "a")
    assert heapwhy.deepsizeof(data, align=16) % 16 == 0
    assert heapwhy.deepsizeof() == 0
    for wrong in ({"align": 3}, {"exclude": 5}, {"limit": "x"}, {"nonsense": 1}):
        with pytest.raises((TypeError, ValueError)):
            heapwhy.deepsizeof(data, **wrong)


def test_any_depth():
    chain = []
    for _ in range(300_000):
        chain = [chain]
    assert heapwhy.deepsizeof(chain) == 300_000 * sys.getsizeof([1]) + sys.getsizeof([])
    while chain:  # nor is it freed by recursion
        chain = chain[0]


def test_a_view_of_an_array_leads_to_the_array():
    numpy = pytest.importorskip("numpy")
    numbers = numpy.zeros((1000, 10))
    view = numbers[5, :]
    assert heapwhy.deepsizeof(view) == flat(view, numbers)
    assert heapwhy.deepsizeof(numbers, view) == heapwhy.deepsizeof(view, numbers) == flat(view, numbers)
    things = numpy.array([[0.5], None], dtype=object)
    assert heapwhy.deepsizeof(things) == flat(things, things[0], 0.5, None)


def test_objects_finds_what_is_not_tracked_at_every_depth():
    keep = [((((i + 0.25,),),),) for i in range(100)]
    wanted = {id(nested[0][0][0][0]) for nested in keep}
    objects = _heapwhy.objects()
    assert wanted <= set(map(id, objects))
    assert len(objects) == len(set(map(id, objects)))
    assert not any(item is objects for item in objects)


def test_tracked_objects_are_those_of_the_collector():
    ours = set(map(id, _heapwhy.objects(tracked=True)))
    theirs = set(map(id, gc.get_objects()))
    assert len(ours ^ theirs) < 20


def test_lists_by_identity():
    a, b, c = [], [], []
    assert [id(o) for o in _heapwhy.unique([a, b, a])] == [id(a), id(b)]
    assert [id(o) for o in _heapwhy.missing([a, b, b, c], [b])] == [id(a), id(c)]
    with pytest.raises(TypeError):
        _heapwhy.missing((a,), [b])


def test_what_summaries_take_does_not_count():
    rows = [["name %d" % i, 1000 + i, 5000 + i] for i in range(500)]

    def counts(hide):
        return {kind: count for kind, count, _ in _heapwhy.summary(None, (), hide)[0]}

    seen, hidden = counts(()), counts((rows,))
    assert seen[list] - hidden[list] == 501 and seen[str] - hidden[str] == 500
    borrowed = rows[0]
    assert hidden[list] + 1 == counts((rows,))[list], "what others hold, too, counts"
    assert borrowed


@pytest.mark.parametrize("python", package_pythons())
def test_every_interpreter_sizes(python):
    told = json.loads(python_inside("""
import json, sys, heapwhy
from heapwhy import _heapwhy
class Item:
    def __init__(self): self.a, self.b = [1.5], "x" * 1000
def check(item):
    deep = heapwhy.deepsizeof(item)
    least = sum(map(sys.getsizeof, (item, item.a, 1.5, item.b)))
    return [deep, least]
items = [Item() for _ in range(100)]
before = check(items[50])
dict_size = sys.getsizeof(items[50].__dict__)
after = check(items[50])
names = sum(map(sys.getsizeof, ("a", "b")))
print(json.dumps([before, after, dict_size + names, _heapwhy.Sizer().values(items[50])]))
""", python))
    (before, least), (after, same), dict_size, _ = told
    assert least <= before <= least + 500
    assert least + dict_size <= after <= least + dict_size + 100
