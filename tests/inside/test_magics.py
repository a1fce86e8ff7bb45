# SPDX-License-Identifier: Apache-2.0
"""%load_ext heapwhy, in an IPython without a terminal."""
import re

import pytest
from support import python_inside

pytest.importorskip("IPython")

SHELL = """
import os, tempfile
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.colors = "NoColor"
def run(cell):
    result = shell.run_cell(cell)
    result.raise_error()
    return result.result
run("%load_ext heapwhy")
"""


def told(*cells):
    return python_inside(SHELL + "".join("run(%r)\n" % cell for cell in cells))


def test_memit_tells_peak_and_increment():
    text = told("import time", "%memit -i0.01 bytearray(80 * 2 ** 20), time.sleep(.5)",
                "%%memit n = 60 * 2 ** 20\nx = bytearray(n)\ntime.sleep(.5)",
                "r = %memit -o -q -r2 pass", "print(len(r.mem_usage), r)")
    lines = re.findall(r"peak memory: ([\d.]+) MiB, increment: (-?[\d.]+) MiB", text)
    assert len(lines) == 3
    assert 70 < float(lines[0][1]) < 90 and 50 < float(lines[1][1]) < 70 and float(lines[2][1]) < 5
    assert text.splitlines()[-1].startswith("2 peak memory")


def test_mprun_shows_functions_of_the_notebook_itself(tmp_path):
    text = told("def work(n):\n    a = [0] * n\n    return len(a)",
                "%%%%mprun -f work -T %s\nassert work(10 ** 6)\nwork(10 ** 6)" % (tmp_path / "out.txt"),
                "p = %mprun -r -f work work(\"1\" and 1000)", "print(type(p).__name__)")
    rows = [line for line in text.splitlines() if "a = [0] * n" in line]
    assert sorted(row.split("MiB")[2].split()[0] for row in rows) == ["1", "2"]
    assert "a = [0] * n" in (tmp_path / "out.txt").read_text()
    assert text.splitlines()[-1] == "LineProfiler"


def test_mprun_names_a_function_that_is_not_there():
    assert "Could not find function 'nothing'" in python_inside(
        SHELL + "print(shell.run_cell('%mprun -f nothing pass').error_in_exec)")


@pytest.mark.parametrize("cell, text", [
    ("%heap -n x", "-n takes a whole number, not 'x'"), ("%heap -n -1", "-n must be 0 or more, not -1"),
    ("%memit -r x pass", "-r takes a whole number, not 'x'"), ("%memit -i x pass", "-i takes a number, not 'x'"),
    ("%mprun -p x -f len pass", "-p takes a whole number, not 'x'"), ("%mprun -p -1 -f len pass", "-p must be 0 or more")])
def test_a_number_that_is_none_is_an_error_of_usage(cell, text):
    said = python_inside(SHELL + "error = shell.run_cell(%r).error_in_exec\nprint(type(error).__name__, error)" % cell)
    assert "UsageError " + text in said


def test_heap_shows_growth_since_the_last_one():
    text = told("%heap -g", "class Grown: pass", "%heap -n3", "kept = [Grown() for _ in range(1000)]", "%heap -g -n30")
    assert "first %heap" in text.splitlines()[0]
    (row,) = [line for line in text.splitlines() if line.endswith("Grown")]
    assert row.split()[0] == "1000" and "+1000" in row
