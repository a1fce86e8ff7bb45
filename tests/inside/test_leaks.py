# SPDX-License-Identifier: Apache-2.0
"""Every public function, called again and again, leaves no reference, no block and no byte behind.

make leaks calls each $HEAPWHY_LEAK_CALLS times. Without it a few calls must do, in which a leak of one for each call shows.
"""
import os
import subprocess
import textwrap

import leakcheck
import pytest
from support import SYSTEM_PYTHON, clean_environment, counting_pythons, heapwhy_binary, package_site

IS_LONG = "HEAPWHY_LEAK_CALLS" in os.environ
FEW = 20
CALLS = int(os.environ.get("HEAPWHY_LEAK_CALLS", FEW))
DEBUG_PART = 10  # of the calls, in a debug build, which is slow and counts every reference
HOURS = 3600


@pytest.fixture
def run(tmp_path):
    """run(python, argument...): without site-packages, as a walk over a small heap costs less."""
    path = os.path.dirname(heapwhy_binary()) + os.pathsep + os.environ["PATH"]
    environment = {**clean_environment(), **leakcheck.ENVIRONMENT, "PYTHONPATH": package_site(), "PATH": path}

    def run(python, *args):
        return subprocess.run([python, "-S", *map(str, args)], cwd=tmp_path, env=environment, text=True, timeout=5 * HOURS,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return run


def leaks_told(text):
    """The cases that left something behind: the lines at the end."""
    return {line.split(":")[0] for line in text.splitlines() if " more after each " in line and not line.startswith(" ")
            and ":" in line}


@pytest.mark.parametrize("python", counting_pythons())
@pytest.mark.parametrize("cases", leakcheck.case_files())
def test_nothing_is_left_behind(run, python, cases):
    calls = max(CALLS // DEBUG_PART, FEW) if python.endswith("-dbg") else CALLS
    done = run(python, leakcheck.__file__, cases, calls)
    if IS_LONG:
        print(done.stdout)
    assert done.returncode in (0, 1), done.stdout
    if done.returncode:  # a leak is there in every process; what Python's own tables keep goes by hashes and addresses
        again = run(python, leakcheck.__file__, cases, calls)
        assert again.returncode in (0, 1) and not leaks_told(done.stdout) & leaks_told(again.stdout), again.stdout


def test_every_public_function_has_a_case(run):
    done = run(SYSTEM_PYTHON, leakcheck.__file__)
    assert done.returncode == 0, "no case of tests/inside/leakcases calls\n" + done.stdout


LEAKS = textwrap.dedent("""
    import ctypes, sys
    sys.path.insert(0, %r)
    import leakcheck
    kept, malloc = [], ctypes.CDLL(None).malloc
    increase = ctypes.pythonapi.Py_IncRef
    increase.argtypes = [ctypes.py_object]
    found = {"blocks": leakcheck.leak_of(lambda: kept.append(object()), 20),
             "bytes": leakcheck.leak_of(lambda: malloc(100), 20),
             "references": leakcheck.leak_of(lambda: increase(None), 20)}
    assert not leakcheck.leak_of(lambda: [object()], 20)
    print(*[name for name, leak in found.items() if leak])
""") % leakcheck.HERE


@pytest.mark.parametrize("python", counting_pythons())
def test_one_of_anything_for_each_call_is_found(run, python):
    counts_references = python.endswith("-dbg")
    assert run(python, "-c", LEAKS).stdout.split() == ["blocks", "bytes"] + ["references"] * counts_references
