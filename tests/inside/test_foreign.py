# SPDX-License-Identifier: Apache-2.0
"""What numpy and lxml take from malloc is counted, and given back."""
import pytest
from support import python_inside

COMMON = """
from heapwhy import _heapwhy
def change(work):
    before = _heapwhy.allocated_bytes()
    kept = work()
    return _heapwhy.allocated_bytes() - before, kept
"""


def test_arrays():
    pytest.importorskip("numpy")
    assert python_inside("""
import numpy as np
""" + COMMON + """
early = np.zeros(10 ** 6)
_heapwhy.allocated_start()
taken, kept = change(lambda: np.zeros(10 ** 7))
assert abs(taken - 8 * 10 ** 7) < 10000, taken
def drop():
    global kept, early
    kept = early = None
given, _ = change(drop)
assert abs(given + 8.8 * 10 ** 7) < 10000, given
def churn():
    for i in range(3000):
        a = np.arange(i) + 1.5
        b = a.reshape(-1)[::2].copy()
churn()
drift, _ = change(churn)
assert abs(drift) < 60000, drift      # numpy keeps small blocks for later
print("fine")
""") == "fine\n"


def test_trees_and_texts_of_c_code():
    pytest.importorskip("lxml.etree")
    assert python_inside("""
from lxml import etree
""" + COMMON + """
_heapwhy.allocated_start()
text = "<a>" + "<b>x</b>" * 20000 + "</a>"
def parse(): return etree.fromstring(text)
parse()
taken, kept = change(parse)
assert taken > 20000 * 100, taken
def drop():
    global kept
    kept = None
given, _ = change(drop)
assert abs(taken + given) < 20000, (taken, given)
import zlib, sqlite3, ssl, json
def churn():
    for i in range(100):
        zlib.decompress(zlib.compress(text.encode()))
        with sqlite3.connect(":memory:") as db:
            db.execute("create table t(a)")
            db.executemany("insert into t values (?)", [(i,) for i in range(100)])
        db.close()
        ssl.create_default_context()
churn()
_heapwhy.allocated_stop()
_heapwhy.allocated_start()            # what was loaded in the meantime
churn()
drift, _ = change(churn)
assert abs(drift) < 100000, drift
print("fine")
""") == "fine\n"
