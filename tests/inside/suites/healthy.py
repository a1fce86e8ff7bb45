# SPDX-License-Identifier: Apache-2.0
"""Tests of a program without leaks, with all that looks like one: caches that fill, first uses, buffers that grow,
what Python and pytest keep for themselves. Run with --heapwhy, none may be told as leaking."""
import ast
import asyncio
import collections
import concurrent.futures
import contextlib
import contextvars
import copy
import csv
import dataclasses
import datetime
import decimal
import enum
import fnmatch
import fractions
import functools
import importlib
import io
import itertools
import json
import linecache
import logging
import pathlib
import pickle
import queue
import random
import re
import sqlite3
import string
import struct
import subprocess
import sys
import tempfile
import textwrap
import threading
import traceback
import typing
import unittest
import unittest.mock
import uuid
import warnings
import weakref

import pytest

UNBOUND_BUT_FINITE = {}
RECENT = collections.deque(maxlen=20)
BUFFER = []
INSTANCES = weakref.WeakSet()
BY_NAME = weakref.WeakValueDictionary()
counter = itertools.count()


class Session:
    def __init__(self, name="x"):
        self.name, self.peers = name, []


@functools.lru_cache(maxsize=64)
def expensive(number):
    return [number] * 3


@functools.lru_cache(maxsize=None)
def by_letter(letter):
    return {letter: letter.upper()}


def test_plain():
    assert [Session(str(i)) for i in range(50)][0].name == "0"


def test_cycle_that_the_collector_frees():
    a, b = Session(), Session()
    a.peers.append(b)
    b.peers.append(a)


def test_cache_with_bound_fills():
    for _ in range(3):
        expensive(next(counter))


def test_cache_without_bound_and_few_keys():
    by_letter(random.choice(string.ascii_lowercase))


def test_dict_that_comes_to_rest():
    UNBOUND_BUT_FINITE[next(counter) % 40] = Session()


def test_regular_expressions_never_seen_before():
    assert re.match("a%db" % next(counter), "b") is None


def test_patterns_of_names_never_seen_before():
    assert not fnmatch.fnmatch("a", "*%d" % next(counter))


def test_struct_formats():
    assert struct.calcsize("%di" % (next(counter) + 1))


def test_deque_with_bound():
    RECENT.append(Session())


def test_buffer_that_is_emptied_now_and_then():
    BUFFER.append(Session())
    if len(BUFFER) >= 30:
        BUFFER.clear()


def test_weak_references():
    session = Session()
    INSTANCES.add(session)
    BY_NAME[str(next(counter))] = session
    weakref.finalize(session, lambda: None)


def test_logging(caplog):
    logger = logging.getLogger("app.%d" % (next(counter) % 5))
    logger.warning("hello %s", Session())
    with caplog.at_level(logging.DEBUG):
        logger.debug("more")
    assert caplog.records


def test_warning_with_a_new_text():
    warnings.warn("number %d" % next(counter), DeprecationWarning, stacklevel=2)


def test_warnings_recorded():
    with pytest.warns(UserWarning):
        warnings.warn("seen", UserWarning)


def test_print(capsys):
    print("x" * 500)
    assert capsys.readouterr().out


def test_print_that_pytest_captures():
    print("number", next(counter))
    print("error", next(counter), file=sys.stderr)


def test_import_on_first_use():
    for name in ("colorsys", "sndhdr", "wave", "html.parser", "xml.dom.minidom"):
        with contextlib.suppress(ImportError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            importlib.import_module(name)


def test_interned_names():
    session = Session()
    setattr(session, "attribute_%d" % (next(counter) % 10), 1)
    sys.intern("some name %d" % (next(counter) % 10))


def test_dict_and_list_change_their_size():
    table = {i: i for i in range(random.randrange(1000))}
    numbers = list(range(random.randrange(1000)))
    table.clear()
    numbers.extend(range(10))


def test_exceptions():
    def deep(n):
        if n:
            deep(n - 1)
        raise ValueError("deep")
    with pytest.raises(ValueError):
        deep(20)
    try:
        deep(3)
    except ValueError:
        assert "deep" in traceback.format_exc()


def test_lines_of_source():
    assert linecache.getline(__file__, 3)
    linecache.checkcache()


def test_class_made_anew():
    class Local(Session):
        pass

    @dataclasses.dataclass
    class Point:
        x: int = 0

    assert Local().name and Point().x == 0
    Row = collections.namedtuple("Row", "a b")
    assert Row(1, 2).a == 1
    assert enum.Enum("Colour", "RED GREEN").RED


def test_typing_of_a_class_made_anew():
    class Local:
        pass

    assert typing.Optional[Local]
    assert typing.List[int]


def test_singledispatch_on_a_class_made_anew():
    class Local:
        pass

    assert kind_of(Local()) == "any"
    assert isinstance(Local(), collections.abc.Sized) is False


@functools.singledispatch
def kind_of(value):
    return "any"


def test_asyncio():
    async def work(n):
        await asyncio.sleep(0)
        return Session(str(n))

    async def main():
        done = await asyncio.gather(*(work(i) for i in range(5)))
        task = asyncio.ensure_future(asyncio.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return done

    assert len(asyncio.run(main())) == 5


def test_threads():
    box = queue.Queue()
    threads = [threading.Thread(target=box.put, args=(Session(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert box.qsize() == 4


def test_thread_that_ends_later():
    threading.Thread(target=lambda: Session(), daemon=True).start()


def test_thread_pool():
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        assert list(pool.map(str, range(5))) == list("01234")


local = threading.local()
variable = contextvars.ContextVar("variable", default=None)


def test_thread_local_and_context_variable():
    local.session = Session()
    token = variable.set(Session())
    variable.reset(token)
    variable.set(Session())


def test_subprocess():
    assert subprocess.run(["true"]).returncode == 0


def test_files(tmp_path):
    path = tmp_path / ("file%d.json" % next(counter))
    path.write_text(json.dumps({"a": [1, 2.5, None, "x" * next(counter)]}))
    assert json.loads(path.read_text())["a"][0] == 1
    with tempfile.TemporaryDirectory() as place:
        pathlib.Path(place, "a").touch()


def test_environment(monkeypatch):
    monkeypatch.setenv("HEAPWHY_TEST_%d" % (next(counter) % 7), str(next(counter)))


def test_mocks():
    with unittest.mock.patch.object(Session, "name", create=True, new=unittest.mock.Mock()) as name:
        name(1)
    unittest.mock.MagicMock().method.return_value.other(3)


def test_code_made_at_run_time():
    scope = {}
    exec("def f(x):\n    return x + %d" % next(counter), scope)
    assert scope["f"](1)
    assert ast.parse("a + %d" % next(counter))


def test_numbers_and_texts():
    assert decimal.Decimal(next(counter)) / 3 and fractions.Fraction(next(counter), 7) is not None
    assert datetime.datetime.now().isoformat() and uuid.uuid4().hex
    assert textwrap.fill("word " * 50)


def test_copies():
    first = {"a": [Session() for _ in range(5)]}
    assert copy.deepcopy(first) and pickle.loads(pickle.dumps(first["a"][0].__dict__))
    assert list(csv.reader(io.StringIO("a,b\nc,d\n")))


def test_database():
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute("create table t (a)")
        db.executemany("insert into t values (?)", [(i,) for i in range(10)])
        assert db.execute("select count(*) + %d from t" % next(counter)).fetchone()


def test_generators():
    def numbers():
        yield from range(10)
    half = numbers()
    next(half)
    assert sum(numbers()) == 45


@pytest.fixture(scope="module")
def service():
    yield Session("service")


@pytest.fixture
def client(service):
    client = Session("client")
    service.peers.append(client)
    yield client
    service.peers.remove(client)


def test_fixtures(client, service, request):
    assert client in service.peers
    request.addfinalizer(lambda: None)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_parameters(size, client):
    assert len(bytes(size)) == size


def test_properties(record_property):
    record_property("number", next(counter))


def test_skipped():
    pytest.skip("not here")


@pytest.mark.xfail
def test_expected_to_fail():
    assert False


class TestUnittest(unittest.TestCase):
    def setUp(self):
        self.session = Session()

    def test_method(self):
        with self.subTest("one"):
            self.assertEqual(self.session.name, "x")
        self.addCleanup(lambda: None)


def double(number):
    """Doubles.

    >>> double(2)
    4
    >>> [double(n) for n in range(3)]
    [0, 2, 4]
    """
    return 2 * number
