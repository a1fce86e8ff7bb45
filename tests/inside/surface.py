# SPDX-License-Identifier: Apache-2.0
"""The public functions and methods of the package, and which of them some code has called.

Functions in Python are known by their code, those in C by the type or module that has them. Of types in C what is no
method, such as lengths, operators and attributes, is not seen by sys.setprofile(): leakcases/c_types.py uses all
of it.
"""
import importlib
import inspect
import os
import pkgutil
import sys
import threading
import types

import heapwhy
from heapwhy import _heapwhy

HOME = os.path.dirname(heapwhy.__file__)
# What can't be called again and again in one process, and why.
EXEMPT = {
    "heapwhy.__main__": "takes the place of the process",
    "heapwhy.pytest_plugin": "a part of pytest, which keeps a report of each test",
    "heapwhy.magics": "a part of IPython, which keeps what was entered",
    "heapwhy.compat.pympler.charts": "matplotlib draws them, with caches of its own",
    "heapwhy.lines.main": "a program: sets sys.argv and sys.modules['__main__']",
    "heapwhy.load_ipython_extension": "registers magics, once",
    "heapwhy.compat.memory_profiler.load_ipython_extension": "registers magics, once",
    "heapwhy.compat.pympler.refbrowser.InteractiveBrowser": "opens a window",
}


def _is_public(name):
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__")) or name.startswith("_repr_")


def _codes(value):
    """The code of a function, of what a decorator wrapped, of the parts of a property."""
    if isinstance(value, property):
        return [code for part in (value.fget, value.fset) for code in _codes(part)]
    value = inspect.unwrap(getattr(value, "__func__", value)) if callable(getattr(value, "__func__", value)) else value
    code = getattr(value, "__code__", None)
    return [code] if code is not None and code.co_filename.startswith(HOME) else []


def _members(home, name):
    """[(name, code), ...] of a function or a class."""
    value = vars(home)[name]
    if isinstance(value, type):
        return [("%s.%s" % (name, member), code) for member in vars(value) if _is_public(member)
                for code in _codes(vars(value)[member])]
    return [(name, code) for code in _codes(value)]


def python_functions():
    """{"heapwhy.edges.chain": code, ...}"""
    found = {}
    for info in pkgutil.walk_packages(heapwhy.__path__, "heapwhy."):
        if info.name in EXEMPT or info.name == "heapwhy._heapwhy":
            continue
        module = importlib.import_module(info.name)
        for name in list(vars(module)):
            if _is_public(name) and getattr(vars(module)[name], "__module__", None) == info.name:
                for path, code in _members(module, name):
                    path = "%s.%s" % (info.name, path)
                    if not any(path == exempt or path.startswith(exempt + ".") for exempt in EXEMPT):
                        found[path] = code
    return found


def c_functions():
    """{(type name or "", function name), ...}"""
    found = {("", name) for name, value in vars(_heapwhy).items() if isinstance(value, types.BuiltinFunctionType)}
    for kind in vars(_heapwhy).values():
        if isinstance(kind, type):
            found |= {(kind.__name__, name) for name, value in vars(kind).items()
                      if isinstance(value, (types.MethodDescriptorType, types.ClassMethodDescriptorType))}
    return found


def _key(function):
    """As in c_functions(), of what sys.setprofile() tells of; None: not ours."""
    owner = getattr(function, "__self__", None)
    if owner is _heapwhy:
        return "", function.__name__
    for base in (owner if isinstance(owner, type) else type(owner)).__mro__:
        if base.__module__ == "heapwhy._heapwhy" and function.__name__ in vars(base):
            return base.__name__, function.__name__
    return None


class Calls:
    """What is called in a with block, in all threads."""

    def __init__(self):
        self.codes, self.functions = set(), set()

    def _note(self, frame, event, arg):
        if event == "call":
            self.codes.add(frame.f_code)
        elif event == "c_call":
            self.functions.add(_key(arg))

    def __enter__(self):
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return self

    def __exit__(self, *unused):
        sys.setprofile(None)
        threading.setprofile(None)


def uncalled(files, load):
    """Names of public functions that no case of these files calls."""
    calls = Calls()
    for file in files:
        for cases, _ in load(file):
            for function in cases.values():
                with calls:
                    function()
    left = [name for name, code in python_functions().items() if code not in calls.codes]
    left += ["heapwhy._heapwhy.%s" % ".".join(filter(None, key)) for key in c_functions() - calls.functions]
    return sorted(left)
