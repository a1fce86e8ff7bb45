# SPDX-License-Identifier: Apache-2.0
"""Dependencies point one way: a folder of src/ includes headers of the folders below it only.

The table here and the one in docs/architecture.md are the same; the last test compares them.
"""
import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SRC = os.path.join(ROOT, "src")
PUBLIC = "heapwhy.h"

MAY_USE = {
    "base": set(),
    "image": {"base"},
    "native": {"base", "image"},
    "system": {"base", "image"},
    "cpython": {"base", "image", "native"},
    "agent": {"cpython"},
    "attach": {"base", "image", "native", "cpython", "agent"},
    "heap": {"base", "image", "native", "system", "cpython", "agent"},
    "ask": {"base", "heap"},
    "resource": {"base", "system", "heap", "ask"},
    "profile": {"base", "native", "agent", "heap", "ask"},
    "weigh": {"base", "heap", "ask"},
    "collect": {"base", "heap", "ask"},
    "grow": {"base", "heap", "ask", "resource"},
    "account": {"base", "heap", "ask", "weigh", "grow"},
    "why": {"base", "heap", "ask", "resource", "weigh", "collect", "grow", "account"},
    "watch": {"base"},
    "tell": {"base"},
    "cli": {"base", "agent", "tell"},
    "inside": {"base", "tell"},
}


def includes(path):
    with open(path, encoding="utf-8") as file:
        return re.findall(r'^\s*#\s*include\s+"([^"]+)"', file.read(), re.M)


def sources(folder):
    for directory, _, names in os.walk(os.path.join(SRC, folder)):
        for name in names:
            if name.endswith((".c", ".h", ".inc", ".def")):
                yield os.path.join(directory, name)


def test_every_folder_has_its_rule():
    folders = {name for name in os.listdir(SRC) if os.path.isdir(os.path.join(SRC, name))}
    assert folders == set(MAY_USE)


@pytest.mark.parametrize("folder", sorted(MAY_USE))
def test_includes_point_down(folder):
    looked_at = 0
    for path in sources(folder):
        for header in includes(path):
            if header == PUBLIC:
                continue
            used = header.split("/")[0] if "/" in header else folder
            assert used == folder or used in MAY_USE[folder], \
                "%s includes %s" % (os.path.relpath(path, ROOT), header)
        looked_at += 1
    assert looked_at


def test_the_public_header_stands_alone():
    assert includes(os.path.join(ROOT, "include", PUBLIC)) == []


def test_the_rules_have_no_circle():
    done = set()
    while len(done) < len(MAY_USE):
        ready = {folder for folder, used in MAY_USE.items() if used <= done} - done
        assert ready, "a circle among %s" % (set(MAY_USE) - done)
        done |= ready


def test_the_document_says_the_same():
    with open(os.path.join(ROOT, "docs", "architecture.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| `src/(\w+)/` \|[^|]*\| ([^|]*) \|", file.read(), re.M)
    told = {folder: set(re.findall(r"\w+", used)) - {"nothing"} for folder, used in rows}
    assert told == MAY_USE
