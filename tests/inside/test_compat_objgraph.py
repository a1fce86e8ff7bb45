# SPDX-License-Identifier: Apache-2.0
"""heapwhy.compat.objgraph prints and draws what objgraph does, program for program."""
import os
import re
import subprocess
import sys

import pytest
from support import ROOT, clean_environment, package_pythons, package_site

sys.path.insert(0, os.path.join(ROOT, "tests", "env"))
import peers  # noqa: E402

ARTICLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "articles")
PROGRAMS = sorted(name for name in os.listdir(ARTICLES) if name.endswith(".py"))
RUN = """
import runpy, sys
module, path = sys.argv[1:]
sys.modules["objgraph"] = __import__(module, fromlist=["*"])
sys.argv = [path]
runpy.run_path(path, run_name="__main__")
"""


@pytest.fixture(scope="module")
def original():
    try:
        return peers.sdist("objgraph", "3.7.0")
    except OSError as error:
        pytest.skip("no PyPI in reach: %s" % error)


def run(python, module, place, program, folder):
    folder.mkdir()
    done = subprocess.run([python, "-c", RUN, module, os.path.join(ARTICLES, program)], cwd=folder, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120,
                          env={**clean_environment(), "PYTHONPATH": place})
    assert not done.returncode, done.stderr
    files = {path.name: path.read_text() for path in sorted(folder.glob("*.dot"))}
    return printed(done.stdout), {name: anonymous(text).splitlines() for name, text in files.items()}


def printed(text):
    """Without the names of temporary files, and how many of a type there were before."""
    return re.sub(r"\d+( +\+\d+)$", r"N\1", re.sub(r"/\S+/objgraph-\w+", "TEMPORARY", text), flags=re.M)


def anonymous(text):
    """Addresses by the order in which they come."""
    seen = {}
    return re.sub(r"(?<![a-z])o(\d+)|0x([0-9a-f]+)",
                  lambda match: "A%d" % seen.setdefault(int(match[1] or "0x" + match[2], 0), len(seen)), text)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("python", package_pythons())
def test_same_as_the_original(original, python, program, tmp_path):
    theirs = run(python, "objgraph", original, program, tmp_path / "theirs")
    ours = run(python, "heapwhy.compat.objgraph", package_site(), program, tmp_path / "ours")
    assert ours[0] == theirs[0]
    for name, lines in theirs[1].items():
        assert as_theirs(ours[1][name], lines) == lines


def as_theirs(ours, theirs):
    """Our lines of a graph without the names of references that the original has none for."""
    unnamed = {line for line in theirs if re.fullmatch(r"  \w+ -> \w+;", line)}
    return [re.sub(r" \[label=.*\];$", ";", line)
            if re.sub(r" \[label=.*\];$", ";", line) in unnamed else line for line in ours]
