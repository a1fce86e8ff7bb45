# SPDX-License-Identifier: Apache-2.0
"""Tracked objects that nobody refers to."""
import ctypes
import json

import pytest
from support import package_pythons, python_inside

from heapwhy import _heapwhy


class Leaked:
    pass


def leak(count):
    objects = [Leaked() for _ in range(count)]
    for obj in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(obj))
    return set(map(id, objects))


def forget(addresses):
    for obj in _heapwhy.tracked_at(addresses):
        ctypes.pythonapi.Py_DecRef(ctypes.py_object(obj))


def test_leaked_objects_are_found():
    held = [Leaked() for _ in range(10)]
    leaked = leak(500)
    try:
        found = {id(obj) for obj in _heapwhy.unreferred(None) if type(obj) is Leaked}
        assert found == leaked and not found & set(map(id, held))
    finally:
        forget(leaked)
    assert not [obj for obj in _heapwhy.unreferred(None) if type(obj) is Leaked]


def test_a_subset_counts_what_holds_it_from_outside():
    leaked = leak(3)
    held = [Leaked()]
    subset = _heapwhy.tracked_at(leaked) + held
    assert {id(obj) for obj in _heapwhy.unreferred(subset)} == leaked
    assert _heapwhy.unreferred([]) == []
    del subset
    forget(leaked)


@pytest.mark.parametrize("python", package_pythons())
def test_a_healthy_process_has_few(python):
    told = json.loads(python_inside("""
import asyncio, email.mime.text, http.server, json, logging, unittest, xml.dom.minidom
from heapwhy import _heapwhy
print(json.dumps([str(type(obj)) + repr(obj)[:90] for obj in _heapwhy.unreferred(None)]))
""", python))
    assert len(told) < 60, told
