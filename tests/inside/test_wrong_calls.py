# SPDX-License-Identifier: Apache-2.0
"""What callers get wrong is told, and crashes nothing: wrong_calls.py has the grid, this file the words."""
import os
import re
import subprocess

import pytest
from support import heapwhy_binary, package_pythons, package_site

import heapwhy

GRID = os.path.join(os.path.dirname(os.path.abspath(__file__)), "wrong_calls.py")


@pytest.mark.parametrize("python", package_pythons())
def test_no_wrong_value_crashes_or_raises_what_is_not_documented(python, tmp_path):
    path = "%s:%s" % (os.path.dirname(heapwhy_binary()), os.environ["PATH"])
    done = subprocess.run([python, GRID], cwd=tmp_path, env={**os.environ, "PYTHONPATH": package_site(), "PATH": path},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=1800)
    lines = done.stdout.decode(errors="replace").splitlines()
    assert done.returncode == 0, lines[-30:]
    end = next(place for place, line in enumerate(lines) if re.fullmatch(r"\d+ calls", line))
    assert lines[end + 1:] == []
    assert int(lines[end].split()[0]) > 5000


def refused(call, kind, *words):
    with pytest.raises(kind) as raised:
        call()
    for word in words:
        assert word in str(raised.value)


def test_a_process_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(lambda: heapwhy.snapshot(1234), TypeError, "heapwhy.snapshot(pid=1234)")
    refused(lambda: heapwhy.snapshot("app"), heapwhy.UsageError, "'app.hwsnap'", "pid=")
    refused(lambda: heapwhy.snapshot(""), heapwhy.UsageError, ".hwsnap")
    assert os.listdir(tmp_path) == []
    heapwhy.snapshot("./app").close()
    heapwhy.snapshot("app.hwsnap").close()
    assert sorted(os.listdir(tmp_path)) == ["app", "app.hwsnap"]


def test_there_is_no_such_process():
    gone = 4194304  # one more than Linux gives
    refused(lambda: heapwhy.snapshot(pid=gone), heapwhy.NotFoundError, str(gone))
    refused(lambda: heapwhy.memory_usage(gone), heapwhy.NotFoundError, str(gone))
    refused(lambda: heapwhy.memory_usage(2 ** 70), heapwhy.NotFoundError, "no process")
    refused(lambda: heapwhy.memory_usage(0), heapwhy.UsageError, "-1")
    refused(lambda: heapwhy.memory_usage(3.5), TypeError, "float")


def test_an_int_is_an_address():
    with heapwhy.snapshot() as snapshot:
        refused(lambda: snapshot.holders(7), heapwhy.UsageError, "id()")
        refused(lambda: snapshot.holders(-1), heapwhy.UsageError, "id()")
        assert snapshot.objects(id(None))[0].type == "NoneType"
        assert snapshot.retained(None)[0].to_dict() == snapshot.retained()[0].to_dict()


def test_what_is_no_function():
    refused(lambda: heapwhy.profile(5), TypeError, "int", "@profile(")
    refused(lambda: heapwhy.find_leak(None), TypeError, "NoneType")
    refused(lambda: heapwhy.chain([], 5), TypeError, "predicate")
    refused(lambda: heapwhy.show_refs([], filter="x"), TypeError, "filter")
    refused(lambda: heapwhy.cycles_forbidden(5), heapwhy.UsageError, "int")


def test_what_is_no_chain():
    for one in (5, "abc", {}, object()):
        refused(lambda: heapwhy.show_chain(one), TypeError, "heapwhy.chain(", type(one).__name__)


def test_what_is_no_snapshot():
    refused(lambda: heapwhy.diagnose("x"), TypeError, "str")
    refused(lambda: heapwhy.diagnose([]), ValueError, "no snapshot")
    with heapwhy.snapshot() as snapshot:
        refused(lambda: snapshot.diff(5), TypeError, "Snapshot", "int")


def test_articles_and_plurals():
    refused(lambda: heapwhy.find_leak(int, repeats="x"), TypeError, "a whole number, not a str")
    refused(lambda: heapwhy.profile(5), TypeError, "a function, not an int")
    refused(lambda: heapwhy.heapset(object()), TypeError, "not as an object")
    kept = [{3}, {4}]
    one, two = repr(heapwhy.heapset(kept[:1]).by_type()), repr(heapwhy.heapset(kept).by_type())
    assert one.startswith("1 object, ") and two.startswith("2 objects, ")
    assert repr(heapwhy.show_refs([[]])).startswith("<Picture of 1 object:")


def test_a_table_has_no_less_than_no_rows():
    kept = [[], {}]
    table = heapwhy.heapset(kept).by_type()
    refused(lambda: table.table(limit=-1), heapwhy.UsageError, "limit must be 0 or more, not -1")
    refused(lambda: table.table(limit="x"), TypeError, "limit")
    assert "2 more rows" in table.table(limit=0) and "1 more row:" in table.table(limit=1)


def test_numbers_have_a_range():
    refused(lambda: heapwhy.deepsizeof([], limit=-1), ValueError, "limit", "-1")
    refused(lambda: heapwhy.deepsizeof([], align=0), ValueError, "align", "0")
    refused(lambda: heapwhy.deepsizeof([], align=3), ValueError, "power of 2")
    refused(lambda: heapwhy.watching(-1), heapwhy.UsageError, "interval")
    refused(lambda: heapwhy.watching("x"), TypeError, "interval")
    refused(lambda: heapwhy.find_leak(int, repeats=0), heapwhy.UsageError, "repeats")


def test_a_picture_needs_a_format(tmp_path):
    picture = heapwhy.show_refs([[]])
    refused(lambda: picture.save(str(tmp_path / "a")), heapwhy.UsageError, ".svg")
    assert picture.save(tmp_path / "a.dot") == str(tmp_path / "a.dot")


def test_pictures_end_where_there_is_nothing_more():
    assert heapwhy.show_refs([[]], max_depth=10 ** 30).nodes == 1
