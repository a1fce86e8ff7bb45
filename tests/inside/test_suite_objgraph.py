# SPDX-License-Identifier: Apache-2.0
"""objgraph's own test suite passes with heapwhy.compat.objgraph; what does not has its reason here."""
import json
import os
import shutil
import subprocess
import sys

import pytest
from support import ROOT, clean_environment, package_pythons, package_site, python_inside

sys.path.insert(0, os.path.join(ROOT, "tests", "env"))
import peers  # noqa: E402

VERSION = "3.7.0"
TIMEOUT_S = 300
TESTS = 59

# Tests of theirs that may fail with ours: name -> why.
EXCEPTIONS = {
    "doctest_setup_py_works": "about objgraph's own setup.py, which needs setuptools: not with every interpreter",
}
# Those that they skip themselves.
SKIPPED = {
    "CHANGES_txt": "no examples in it",
    "HACKING_txt": "no examples in it",
    "objgraph_txt": "no examples in it",
    "StringRepresentationTest.test_short_repr_unbound_method": "for Python 2",
    "StringRepresentationTest.test_edge_label_unbound_method": "for Python 2",
}


@pytest.fixture(scope="module")
def sources():
    try:
        return peers.sdist("objgraph", VERSION)
    except OSError as error:
        pytest.skip("no PyPI in reach: %s" % error)


def results(python, folder):
    runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "suite_objgraph.py")
    done = subprocess.run([python, runner, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=TIMEOUT_S, env={**clean_environment(), "PYTHONPATH": package_site()})
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
    assert lines, done.stderr
    return lines


@pytest.mark.parametrize("python", package_pythons())
def test_objgraphs_own_tests_pass(sources, python, tmp_path):
    if python_inside("import shutil; print(shutil.which('dot'))", python) == "None\n":
        pytest.skip("their examples draw pictures: graphviz is missing")
    folder = shutil.copytree(sources, tmp_path / "objgraph")
    lines = results(python, folder)
    assert len(lines) == TESTS
    assert {name for name, result, _ in lines if result == "skipped"} <= set(SKIPPED)
    failed = {name: text for name, result, text in lines if result == "failed"}
    assert set(failed) <= set(EXCEPTIONS), "\n".join(failed.values())
