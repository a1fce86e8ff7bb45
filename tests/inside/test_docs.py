# SPDX-License-Identifier: Apache-2.0
"""What the pages show at Python's prompt is what happens there.

A page is run in a process of its own, in which docs/PAGE.py has made what the page talks about. Addresses and
other numbers, and how columns are padded, may differ. What a page shows no output of is run, but not compared.
"""
import json
import os
import re

import pytest

from support import ROOT, SYSTEM_PYTHON, python_inside

HERE = os.path.dirname(os.path.abspath(__file__))
PAGES = sorted(name[len("page-"):-len(".py")] for name in os.listdir(os.path.join(HERE, "docs")) if name.startswith("page-"))

RUN = """
import contextlib, io, json, sys
examples, setup = json.loads(sys.argv[1]), sys.argv[2]
exec(compile(open(setup).read(), setup, "exec"))
told = []
for source in examples:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(source, "<page>", "single"))
    told.append(out.getvalue())
json.dump(told, sys.stdout)
"""


def examples_of(text):
    """[(source, shown output)] of a page."""
    found, indent, state = [], "", "text"
    for line in text.splitlines():
        begin = re.match(r"( *)>>> (.*)", line)
        if begin:
            indent, state = begin.group(1), "source"
            found.append([[begin.group(2)], []])
        elif state == "source" and re.match(re.escape(indent) + r"\.\.\.( |$)", line):
            found[-1][0].append(line[len(indent) + 4:])
        elif state != "text" and (not line or line.startswith(indent) and not line.startswith("```")):
            state = "output"
            found[-1][1].append(line)
        else:
            state = "text"
    return [("\n".join(source) + "\n", output) for source, output in found]


def bare(lines):
    """Without what may differ: numbers, padding, where lines end."""
    return " ".join(re.sub(r"0x[0-9a-f]+|[+-]?[0-9][0-9,.:]*", "#", "\n".join(lines)).split())


def run(page, examples):
    setup = os.path.join(HERE, "docs", "page-%s.py" % page)
    told = python_inside(RUN, args=[json.dumps([source for source, _ in examples]), setup])
    return [text.splitlines() for text in json.loads(told)]


@pytest.mark.parametrize("page", PAGES)
def test_the_page_shows_what_happens(page):
    path = os.path.join(ROOT, "README.md" if page == "README" else "docs/%s.md" % page)
    with open(path) as text:
        examples = examples_of(text.read())
    assert examples
    for (source, shown), told in zip(examples, run(page, examples)):
        if bare(shown):
            assert bare(told) == bare(shown), "%s\n%s" % (source, "\n".join(told))
