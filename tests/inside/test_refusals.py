# SPDX-License-Identifier: Apache-2.0
"""Where the package can't work it says so, and why, when it is imported."""
import pytest
from support import package_pythons, python_inside

SUBINTERPRETER = """
import sys
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
try:
    import heapwhy
except ImportError as error:
    print(error)
else:
    print("imported")
'''
import sys
if len(sys.argv) > 1:
    import heapwhy
interpreters.run_string(interpreters.create(), code)
"""


@pytest.mark.parametrize("python", package_pythons())
@pytest.mark.parametrize("before", [(), ("imported in the main interpreter, too",)])
def test_a_subinterpreter_is_refused(python, before):
    told = python_inside(SUBINTERPRETER, python, before)
    assert "works in the main interpreter only" in told


@pytest.mark.parametrize("python", package_pythons())
def test_a_second_import_works(python):
    told = python_inside("""
import sys, heapwhy
first = heapwhy.Error
for name in [name for name in sys.modules if name.startswith("heapwhy")]:
    del sys.modules[name]
import heapwhy
from heapwhy import _heapwhy
print(len(_heapwhy.census()) > 50, issubclass(heapwhy.UsageError, (heapwhy.Error, ValueError)))
""", python)
    assert told.split() == ["True", "True"]


@pytest.mark.parametrize("python", package_pythons())
def test_an_interpreter_that_ends_is_told_of(python):
    told = python_inside("""
import heapwhy, os, sys
class Late:
    def __del__(self, heapwhy=heapwhy, write=os.write):
        try:
            heapwhy.types()
        except heapwhy.Error as error:
            write(1, str(error).encode())
ring = Late()
ring.ring = ring
sys.modules["late"] = ring
""", python)
    assert "heapwhy.types() can't be loaded any more, as the interpreter is ending" in told
