# SPDX-License-Identifier: Apache-2.0
"""One object, or some, of every kind that a CPython process can hold; kept in the list `kept`.

make_all() calls each function whose name starts with make_. What a version lacks is skipped: such a
function raises AttributeError or ImportError.
"""
import abc
import array
import asyncio
import collections
import contextvars
import ctypes
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import io
import itertools
import operator
import os
import queue
import re
import select
import socket
import sys
import threading
import types
import typing
import weakref

kept = []


class Plain:
    shared = ["class attribute"]

    def __init__(self, a, b):
        self.a = a
        self.b = [b]

    def method(self):
        return self.a

    @classmethod
    def build(cls):
        return cls(1, 2)

    @staticmethod
    def helper():
        return 3

    @property
    def double(self):
        return self.a * 2


class Slotted:
    __slots__ = ("x", "y", "_z")


class SlottedWithDict(Slotted):
    __slots__ = ("w", "__dict__", "__weakref__")


class PlainOnSlots(Slotted):
    pass


class MyDict(dict):
    pass


class MyList(list):
    pass


class MyTuple(tuple):
    pass


class MyInt(int):
    pass


class MyStr(str):
    pass


class MyBytes(bytes):
    pass


class MyFloat(float):
    pass


class MySet(set):
    pass


class SlottedList(list):
    __slots__ = ("note",)


class SlottedDict(dict):
    __slots__ = ("note",)


class Meta(type):
    registry = {}

    def __new__(mcs, name, bases, space):
        made = super().__new__(mcs, name, bases, space)
        mcs.registry[name] = made
        return made


class WithMeta(metaclass=Meta):
    pass


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        pass


class Square(Shape):
    def area(self):
        return 4


class Colour(enum.Enum):
    RED = "red"
    GREEN = ("green", 2)


class Flags(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass
class Record:
    name: str
    tags: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Frozen:
    pair: tuple


Point = collections.namedtuple("Point", "x y")


class Typed(typing.NamedTuple):
    key: str
    value: object


class Failure(Exception):
    def __init__(self, text):
        super().__init__(text)
        self.detail = {"text": text}


class Descriptor:
    def __get__(self, obj, owner):
        return 1

    def __set_name__(self, owner, name):
        self.owner = owner


class Host:
    field = Descriptor()


# names that a careless reader would take for the real ones
class Fakes:
    class property:
        def __init__(self):
            self.fget = ["not a getter"]

    class Context:
        def __init__(self):
            self.ctx = {}

    class dict:
        __slots__ = ("keys",)

    class frame(list):
        pass


def numbers(n):
    local = ["generator local", n]
    for i in range(n):
        yield i, local


async def coroutine(future):
    local = {"coroutine": "local"}
    await future
    return local


async def async_numbers(n):
    held = [n]
    for i in range(n):
        yield i, held


def closure(captured):
    counter = 0

    def inner():
        nonlocal counter
        counter += 1
        return captured, counter

    return inner


def recursive_closure():
    def again():
        return again
    return again


def fail(depth):
    local = ["in frame", depth]
    if depth:
        fail(depth - 1)
    raise Failure("deep %d" % len(local))


def failure(depth=3):
    try:
        fail(depth)
    except Failure as error:
        return error


def chained():
    try:
        try:
            fail(1)
        except Failure as error:
            raise ValueError("wrapped") from error
    except ValueError as error:
        return error


def make_instances():
    kept.extend([Plain(n, "value %d" % n) for n in range(20)])
    odd = Plain(1, 2)
    odd.extra = "outside the shared keys"
    odd.__dict__[7] = "a key that is no string"
    emptied = Plain(1, 2)
    del emptied.a
    late = Plain(3, 4)
    late.__dict__  # makes the dict real
    many = Plain(0, 0)
    for n in range(60):
        setattr(many, "attribute_%d" % n, [n])
    replaced = Plain(5, 6)
    replaced.__dict__ = {"new": ["dict"]}
    kept.extend([odd, emptied, late, late.__dict__, many, replaced, Plain.build(), Host()])


def make_slots():
    full, part, both, on = Slotted(), Slotted(), SlottedWithDict(), PlainOnSlots()
    full.x, full.y, full._z = 1, ["y"], full
    part.y = {"only": "y"}
    both.x, both.w, both.dynamic = [1], (2, []), "in the dict"
    on.x, on.other = [3], [4]
    listing, mapping = SlottedList([1, [2]]), SlottedDict(a=[3])
    listing.note, mapping.note = "n", ["note"]
    kept.extend([full, part, both, on, listing, mapping, Slotted()])


def make_subclasses():
    for kind, value in ((MyDict, {"k": [1]}), (MyList, [1, [2]]), (MyTuple, (1, [2], "x")),
                        (MyInt, 2 ** 70), (MyInt, 5), (MyInt, 0), (MyStr, "text"), (MyStr, "\u1234"),
                        (MyBytes, b"bytes"), (MyBytes, b""), (MyFloat, 1.5), (MySet, {1, 2}),
                        (MyTuple, ())):
        made = kind(value)
        made.note = ["attribute of", kind.__name__]
        kept.append(made)
        kept.append(kind(value))


def make_containers():
    big = {("key", n): [n] for n in range(1000)}
    for n in range(0, 1000, 3):
        del big[("key", n)]
    texts = {"key-%d" % n: [n] for n in range(300)}
    holes = {"a": [1], "b": [2], "c": [3]}
    del holes["b"]
    mixed = {"a": [1], 2: [2], None: [3], (1, 2): [4]}
    kept.extend([big, texts, holes, mixed, {}, [], set(), frozenset([("f", n) for n in range(40)])])
    kept.append({("member", n) for n in range(100)} - {("member", n) for n in range(50)})
    kept.append([{"small", ("set", 1)}, {frozenset([1])}])
    itself = []
    itself.append(itself)
    kept.append(itself)
    ring = {}
    ring["ring"] = ring
    kept.append(ring)
    kept.append([(1, 2, (3, [4])), (), ((),), tuple([n] for n in range(50))])
    kept.append([slice([1], [2], 3), range(10 ** 20), reversed([1, [2]]), Ellipsis, NotImplemented])


def make_collections():
    ordered = collections.OrderedDict((("k", n), [n]) for n in range(30))
    ordered.move_to_end(("k", 3))
    del ordered[("k", 5)]
    with_attribute = collections.OrderedDict(a=[1])
    with_attribute.note = ["attribute"]
    default = collections.defaultdict(functools.partial(list, (1, [2])), a=[1])
    long = collections.deque([[n] for n in range(200)], maxlen=500)
    long.rotate(37)
    short = collections.deque([["one"]])
    kept.extend([ordered, with_attribute, default, long, short, collections.deque()])
    kept.extend([collections.Counter("abracadabra"), collections.UserDict(a=[1])])
    kept.extend([collections.ChainMap({"a": [1]}, {"b": [2]}), collections.UserList([[1]])])
    kept.extend([ordered.items(), ordered.keys(), iter(ordered), iter(long), reversed(long)])
    kept.extend([{"v": [1]}.values(), iter({"v": [1]}), iter({"v": [2]}.items()), {"w": []}.items()])
    kept.extend([Point([1], [2]), Typed("k", [1]), Record("r", ["t"]), Frozen(([1],)), Colour.GREEN])
    kept.extend([Flags.A | Flags.B, types.SimpleNamespace(a=[1]), types.MappingProxyType({"m": [1]})])


def make_functions():
    kept.extend([closure(["captured"]), recursive_closure(), lambda x, y=["default"], *, z=[1]: x])
    kept.extend([Plain(1, 2).method, Plain.build, Plain.helper, [].append, "x".join, len, {}.get])
    kept.extend([functools.partial(print, [1], sep=["x"]), functools.partial(int), Plain.double])
    kept.extend([Plain.__dict__["build"], Plain.__dict__["helper"], Slotted.x, str.join, type.mro])
    kept.extend([object().__str__, (5).__add__, list.__add__, Plain.__dict__["__weakref__"]])
    annotated = closure([2])
    annotated.__annotations__ = {"return": [int]}
    annotated.attribute = ["on a function"]
    kept.append(annotated)
    cached = functools.lru_cache(maxsize=None)(lambda *a: list(a))
    bounded = functools.lru_cache(maxsize=4)(lambda *a: list(a))
    typed = functools.lru_cache(maxsize=8, typed=True)(lambda *a: list(a))
    for n in range(10):
        cached(n), bounded("s", n), typed(float(n))
    kept.extend([cached, bounded, typed, functools.cmp_to_key(closure)([3])])
    single = functools.singledispatch(closure)
    single.register(int, recursive_closure)
    single.dispatch(bool)
    kept.extend([single, operator.itemgetter(1, "a"), operator.attrgetter("a.b", "c")])
    kept.extend([operator.methodcaller("m", [1], k=[2]), types.CellType([1]), types.CellType()])
    kept.extend([super(Square, Square()), types.MethodType(closure, [1]), classmethod([1]), staticmethod([2])])
    kept.append([compile("x = [1, (2, 3)]", "<made>", "exec"), closure.__code__])


def make_generators():
    started, fresh, done = numbers(5), numbers(6), numbers(0)
    next(started)
    list(done)

    def delegating():
        here = ["delegating"]
        yield from numbers(3)
        return here

    outer = delegating()
    next(outer)
    future = _Awaitable()
    waiting, unstarted = coroutine(future), coroutine(future)
    waiting.send(None)
    agen, agen_used = async_numbers(3), async_numbers(4)
    _run(agen_used.__anext__())
    kept.extend([started, fresh, done, outer, waiting, unstarted, agen, agen_used, agen.asend(None)])
    kept.extend([(x for x in [[1], [2]]), waiting.__await__(), future, started.gi_frame])


class _Awaitable:
    def __await__(self):
        yield ["awaited"]


def _run(awaitable):
    try:
        awaitable.send(None)
    except StopIteration:
        pass


def make_errors():
    deep, chain = failure(), chained()
    kept.extend([deep, chain, deep.__traceback__, deep.__traceback__.tb_frame, failure(0)])
    kept.extend([OSError(2, "no", "file"), ImportError("i", name="n", path="p"), KeyError(["k"])])
    kept.extend([UnicodeDecodeError("utf-8", b"x", 0, 1, "r"), SyntaxError("s", ("f", 1, 2, "t"))])
    kept.extend([StopIteration([1]), SystemExit([2]), AttributeError("a"), NameError("n")])
    frame = sys._getframe()
    kept.append(frame)


def make_groups():
    kept.append(ExceptionGroup("group", [failure(1), ValueError([1])]))  # noqa: F821


def make_weak():
    target = Plain("weak", 1)
    kept.extend([target, weakref.ref(target), weakref.ref(target, lambda r: None)])
    kept.extend([weakref.proxy(target), weakref.proxy(closure), weakref.WeakMethod(target.method)])
    by_key, by_value = weakref.WeakKeyDictionary(), weakref.WeakValueDictionary()
    by_key[target] = ["value"]
    by_value["k"] = target
    finalizer = weakref.finalize(target, print, [1], k=[2])
    finalizer.atexit = False
    kept.extend([by_key, by_value, weakref.WeakSet([target]), finalizer])


def make_itertools():
    one, two = itertools.tee(iter([[n] for n in range(100)]))
    for _ in range(60):
        next(one)
    cycle = itertools.cycle([[1], [2]])
    next(cycle)
    groups = itertools.groupby([[1], [1], [2]])
    key, group = next(groups)
    kept.extend([one, two, cycle, groups, group, itertools.count(10 ** 30, 3), itertools.count(1.5)])
    kept.extend([itertools.repeat([1]), itertools.chain([[1]], [[2]]), itertools.islice([[1]], 1)])
    kept.extend([itertools.accumulate([[1], [2]]), itertools.product([[1]], [[2]], repeat=2)])
    kept.extend([itertools.permutations([[1], [2]]), itertools.combinations([[1], [2]], 2)])
    kept.extend([itertools.starmap(print, []), itertools.takewhile(bool, [[1]]), zip([[1]], [[2]])])
    kept.extend([itertools.zip_longest([[1]], [], fillvalue=["f"]), enumerate([[1]]), map(str, [[1]])])
    kept.extend([filter(None, [[1]]), itertools.dropwhile(bool, [[1]]), itertools.filterfalse(bool, [[1]])])
    kept.extend([itertools.compress([[1]], [1]), iter(list, [1]), iter((1, [2])), iter({1, 2}), iter("ab")])
    for iterator in kept[-12:]:
        next(iterator, None)


def make_text():
    pattern = re.compile(r"(?P<a>\w+)-(?P<b>\d+)")
    match = pattern.match("abc-123")
    kept.extend([pattern, match, pattern.scanner("x-1"), pattern.finditer("a-1 b-2")])
    kept.extend([io.StringIO("text"), io.BytesIO(b"bytes"), io.BytesIO(b"view").getbuffer()])
    stream = io.TextIOWrapper(io.BytesIO(b"line\nline\n"), encoding="latin-1")
    stream.readline()
    read, write = os.pipe()
    kept.extend([stream, open(read, "rb"), open(write, "w"), io.FileIO(os.devnull)])
    kept.append(io.BufferedRWPair(io.BytesIO(), io.BytesIO()))
    import csv
    import json
    import pickle
    rows = csv.reader(["a,b", "c,d"])
    next(rows)
    kept.extend([rows, csv.writer(io.StringIO()), json.JSONEncoder(), json.JSONDecoder()])
    pickler, out = None, io.BytesIO()
    pickler = pickle.Pickler(out)
    pickler.dump([Plain(1, 2), [3], (4, [5])])
    unpickler = pickle.Unpickler(io.BytesIO(out.getvalue()))
    unpickler.load()
    kept.extend([pickler, unpickler])


def make_xml():
    import xml.etree.ElementTree as tree
    import xml.parsers.expat
    root = tree.fromstring("<a x='1'><b>text</b><c/><d/><e/><f/><g>tail</g></a>")
    walk = root.iter()
    next(walk)
    next(walk)
    parser = xml.parsers.expat.ParserCreate()
    parser.StartElementHandler = closure(["handler"])
    kept.extend([root, walk, parser, tree.TreeBuilder(), tree.XMLParser()])


def make_system():
    ours, theirs = socket.socketpair()
    poll = select.epoll()
    poll.register(ours.fileno())
    mapped = __import__("mmap").mmap(-1, 4096)
    kept.extend([ours, theirs, poll, select.poll(), mapped, memoryview(mapped)])
    kept.extend([array.array("d", [1.5]), memoryview(b"abc")[1:], memoryview(bytearray(8)).cast("I")])
    import hashlib
    import random
    import ssl
    import struct
    import bz2
    import lzma
    import sqlite3
    import zlib
    kept.extend([hashlib.sha256(b"x"), random.Random(1), struct.Struct("<IQ"), zlib.compressobj()])
    kept.extend([zlib.decompressobj(), bz2.BZ2Compressor(), lzma.LZMACompressor(), lzma.LZMADecompressor()])
    base = sqlite3.connect(":memory:")
    base.row_factory = sqlite3.Row
    base.create_function("twice", 1, closure(["sql function"]))
    base.execute("create table t (a, b)")
    base.execute("insert into t values (1, 'x'), (2, 'y')")
    cursor = base.execute("select * from t where a > ?", (0,))
    kept.extend([base, cursor, cursor.fetchone(), ssl.create_default_context()])


def make_numbers():
    zone = datetime.timezone(datetime.timedelta(hours=1), "name")
    moment = datetime.datetime(2024, 1, 1, tzinfo=zone)
    kept.extend([zone, moment, moment.time(), moment.timetz(), moment.date(), moment.replace(tzinfo=None)])
    context = decimal.Context(prec=5)
    context.flags[decimal.Inexact] = True
    kept.extend([decimal.Decimal("1.23"), context, fractions.Fraction(1, 3), 1j, 2 ** 200, -5.5])
    kept.append([float(n) for n in range(50)])


def make_zones():
    import zoneinfo
    kept.append(zoneinfo.ZoneInfo("UTC"))


def make_concurrency():
    local = threading.local()
    local.value = ["main thread"]

    def wait(event, argument):
        local.value = ["of a thread", argument]
        inner = {"local of a thread": argument}
        event.wait()
        return inner

    event = threading.Event()
    threads = [threading.Thread(target=wait, args=(event, [n]), name="waiter-%d" % n, daemon=True)
               for n in range(3)]
    for thread in threads:
        thread.start()
    simple = queue.SimpleQueue()
    simple.put(["queued"])
    full = queue.Queue()
    full.put(["queued too"])
    lock, relock = threading.Lock(), threading.RLock()
    relock.acquire()
    kept.extend([local, event, threads, simple, full, lock, relock, threading.Condition(lock)])
    kept.extend([threading.Semaphore(3), threading.Barrier(2), queue.PriorityQueue()])
    variable = contextvars.ContextVar("variable", default=["default"])
    others = [contextvars.ContextVar("v%d" % n) for n in range(40)]
    token = variable.set(["set"])
    for other in others:
        other.set([other.name])
    kept.extend([variable, others, token, contextvars.copy_context(), contextvars.Context()])
    while not all(thread.is_alive() for thread in threads):
        pass


def make_asyncio():
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    future.add_done_callback(closure(["callback"]))
    failed = loop.create_future()
    failed.set_exception(failure(1))
    failed.exception()
    done = loop.create_future()
    done.set_result(["result"])
    task = loop.create_task(coroutine(future))
    finished = loop.create_task(asyncio.sleep(0, ["slept"]))
    loop.run_until_complete(finished)
    handle = loop.call_later(10000, print, ["timer"])
    kept.extend([loop, future, failed, done, task, finished, handle, asyncio.Queue(), asyncio.Lock()])


def make_ctypes():
    class Pair(ctypes.Structure):
        _fields_ = [("a", ctypes.c_int), ("p", ctypes.c_void_p), ("name", ctypes.c_char_p)]

    class Either(ctypes.Union):
        _fields_ = [("i", ctypes.c_int), ("f", ctypes.c_float)]

    pair = Pair(1, 2, b"kept alive")
    prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    kept.extend([pair, Either(), (Pair * 3)(), ctypes.pointer(pair), ctypes.byref(pair)])
    kept.extend([prototype(lambda x: x), ctypes.create_string_buffer(b"x"), ctypes.py_object([1])])
    kept.extend([ctypes.CDLL(None).getpid, Pair.a])


def make_typing():
    T = typing.TypeVar("T", bound=Plain)

    class Box(typing.Generic[T]):
        def __init__(self, item):
            self.item = item

    kept.extend([T, Box, Box([1]), Box[int], typing.Dict[str, typing.List[int]], typing.Optional[str]])
    kept.extend([typing.Callable[[int], str], typing.ForwardRef("X"), typing.Union[int, str]])
    kept.extend([typing.NewType("UserId", int), typing.Any, typing.Tuple[int, ...]])


def make_typing_later():
    P = typing.ParamSpec("P")
    kept.extend([P, P.args, P.kwargs, list[int], dict[str, list], int | str, typing.Callable[P, int]])
    kept.append(typing.TypeVarTuple("Ts"))


def make_types():
    kept.extend([type("Made%d" % n, (Plain,), {"n": [n], "__slots__": ()}) for n in range(5)])
    kept.extend([WithMeta(), Square(), Fakes.property(), Fakes.Context(), Fakes.dict(), Fakes.frame([[1]])])
    dictlike = Fakes.dict()
    dictlike.keys = ["a slot called keys"]
    made = types.ModuleType("made_module", "doc")
    made.value = ["in a module"]
    kept.extend([dictlike, made, types.DynamicClassAttribute(closure), isinstance(Square(), Shape)])
    kept.append(issubclass(dict, collections.abc.Mapping))


def make_mocks():
    import unittest.mock
    mock = unittest.mock.Mock(return_value=[1])
    mock.method(2)
    kept.append(mock)


def make_all():
    for name, function in sorted(globals().items()):
        if name.startswith("make_") and name != "make_all":
            try:
                function()
            except (AttributeError, ImportError, NameError, TypeError) as error:
                os.write(2, ("probe: %s: %r\n" % (name, error)).encode())
