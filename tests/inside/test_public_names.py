# SPDX-License-Identifier: Apache-2.0
"""The public names: the typed stub has them all, each says what it does, and its types."""
import ast
import importlib
import inspect
import os
import shutil
import subprocess

import pytest
from support import clean_environment, package_site

import heapwhy
from heapwhy import _heapwhy

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(package_site(), "heapwhy")
PUBLIC = sorted(set(heapwhy.__all__) | set(heapwhy._HOMES))
# What it runs in is not installed everywhere.
IN_IPYTHON = {"load_ipython_extension"}


def parsed(name):
    with open(os.path.join(PACKAGE, name)) as file:
        return ast.parse(file.read())


def stub_names():
    """{name: module} of what the stub re-exports: `from heapwhy.x import name as name`."""
    found = {}
    for statement in parsed("__init__.pyi").body:
        assert isinstance(statement, ast.ImportFrom)
        for alias in statement.names:
            assert alias.asname == (alias.name if alias.name != "version" else "__version__")
            found[alias.asname] = statement.module
    return found


def test_the_stub_has_each_public_name_from_its_module():
    homes = {name: "heapwhy." + home for name, home in heapwhy._HOMES.items()}
    expected = {name: homes.get(name, "heapwhy._heapwhy") for name in PUBLIC}
    assert stub_names() == expected
    assert os.path.exists(os.path.join(PACKAGE, "py.typed"))


def public_things():
    """(name, function or class) of all public names and of what they return, and the public methods and properties
    of the classes."""
    for home in sorted({home for home in heapwhy._MODULES if home != "magics"} | {"records", "partition", "ways"}):
        module = importlib.import_module("heapwhy." + home)
        for name, thing in vars(module).items():
            if inspect.isclass(thing) and thing.__module__ == module.__name__ and not name.startswith("_"):
                yield "%s.%s" % (home, name), thing
                yield from methods_of("%s.%s" % (home, name), thing)
    for name in PUBLIC:
        if name in IN_IPYTHON or name == "__version__":
            continue
        thing = getattr(heapwhy, name)
        yield name, thing
        if inspect.isclass(thing):
            yield from methods_of(name, thing)


def methods_of(name, kind):
    for base in kind.__mro__:
        for method, value in vars(base).items():
            # fields are told by the class
            is_field = inspect.isdatadescriptor(value) and not isinstance(value, property)
            if base.__module__.startswith("heapwhy") and not method.startswith("_") and not is_field:
                yield "%s.%s" % (name, method), getattr(value, "__func__", value)


def test_each_says_what_it_does():
    missing = [name for name, thing in public_things() if not inspect.getdoc(thing)]
    assert missing == []


def test_each_says_its_types():
    wrong = []
    for name, thing in public_things():
        function = thing.fget if isinstance(thing, property) else thing
        if not inspect.isfunction(function):
            continue
        annotations = function.__annotations__
        parameters = list(inspect.signature(function).parameters)
        wrong += ["%s(%s)" % (name, one) for one in parameters if one not in annotations and one not in ("self", "cls")]
        wrong += [] if "return" in annotations else ["%s() -> ?" % name]
    assert wrong == []


# ---- what is in C ----

def parameters_of_stub(arguments):
    """As inspect.signature() has them: [(name, default is there, keyword only), ...]."""
    plain = arguments.posonlyargs + arguments.args
    optional = len(plain) - len(arguments.defaults)
    rows = [(one.arg, place >= optional, False) for place, one in enumerate(plain)]
    rows += [(arguments.vararg.arg, False, False)] if arguments.vararg else []
    return rows + [(one.arg, default is not None, True)
                   for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults)]


def parameters_of_function(function):
    return [(one.name, one.default is not one.empty, one.kind is one.KEYWORD_ONLY)
            for one in inspect.signature(function).parameters.values()]


def test_the_stub_of_c_has_the_signatures_of_c():
    checked, wrong = 0, []
    for statement in parsed("_heapwhy.pyi").body:
        if not isinstance(statement, ast.FunctionDef):
            continue
        function = getattr(_heapwhy, statement.name)
        try:
            told = parameters_of_function(function)
        except ValueError:
            wrong.append("%s has no signature" % statement.name)
            continue
        checked += 1
        if told != parameters_of_stub(statement.args):
            wrong.append("%s%s" % (statement.name, inspect.signature(function)))
    assert wrong == []
    assert checked > 20


def test_the_stub_of_c_has_each_name_of_c():
    named = {statement.name for statement in parsed("_heapwhy.pyi").body
             if isinstance(statement, (ast.FunctionDef, ast.ClassDef))}
    there = {name for name in dir(_heapwhy) if not name.startswith("_")} - {"version"}
    assert named == there


# ---- a program that uses them ----

@pytest.mark.skipif(not shutil.which("mypy"), reason="mypy is not installed")
def test_a_typed_program_passes_mypy(tmp_path):
    config = tmp_path / "mypy.ini"
    # what lies in a search path is checked, too; as installed packages are not
    config.write_text("[mypy]\nstrict = True\n[mypy-heapwhy.*]\nfollow_imports = silent\n")
    done = subprocess.run(["mypy", "--config-file", str(config), "--cache-dir", str(tmp_path),
                           "--python-executable", "/usr/bin/python3", os.path.join(HERE, "typed_program.py")],
                          env={**clean_environment(), "MYPYPATH": package_site()}, stdout=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
