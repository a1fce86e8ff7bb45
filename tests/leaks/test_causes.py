# SPDX-License-Identifier: Apache-2.0
"""Every row of the tables of causes stands in docs/causes.md, and every special one has a program that
makes the mistake; those that the page describes, also a program that only looks like it."""
import glob
import json
import os
import re
import subprocess

import pytest

import support

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = [HERE, os.path.join(os.path.dirname(HERE), "healthy")]
# Sections whose causes have a counterpart each.
DESCRIBED = ("Places in libraries", "What code takes out", "Caches and look-ups", "Made at run time",
             "Who holds for ever", "Views and native trees")
DOCUMENT = os.path.join(support.ROOT, "docs", "causes.md")


def as_list(value):
    return value if isinstance(value, list) else [value] if value else []


def expected_answers():
    for folder in FOLDERS:
        for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
            with open(path) as source:
                yield os.path.basename(path)[:-len(".json")], json.load(source)


@pytest.fixture(scope="module")
def rows():
    """(name, sentence, cure) of each row, in order."""
    program = os.path.join(os.path.dirname(support.heapwhy_binary()), "tools", "list-causes")
    text = subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line.split("\t") for line in text.splitlines()]


def section_names(*titles):
    with open(DOCUMENT) as source:
        sections = re.split(r"^## ", source.read(), flags=re.MULTILINE)
    found = [names_in(text) for text in sections if text.startswith(titles)]
    assert len(found) == len(titles)
    return set.union(*found)


def names_in(text):
    cells = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z-]+)`", cell)}


def test_document_has_each_row_and_no_other(rows):
    with open(DOCUMENT) as source:
        documented = names_in(source.read())
    names = {row[0] for row in rows}
    assert not names - documented, "not in docs/causes.md"
    assert not documented - names, "no such cause"


def test_rows_are_sentences(rows):
    for name, about, cure in rows:
        assert re.fullmatch(r"[a-z][a-z-]+[a-z]", name)
        for text in (about, cure):
            assert re.match(r"[A-Z{]|[a-z]+[.(]|itertools|logging|ctypes|sys|atexit", text), (name, text)
            assert text.endswith((".", "{bound}")), (name, text)


def test_each_special_cause_has_a_program(rows):
    names = {row[0] for row in rows}
    made = {cause for _, answer in expected_answers() for cause in as_list(answer.get("cause"))}
    assert not made - names, "programs expect causes that do not exist"
    assert not names - section_names("By family") - made, "no program in tests/leaks expects them"


def test_each_described_cause_has_a_counterpart(rows):
    alike = set()
    for name, answer in expected_answers():
        for cause in as_list(answer.get("looks_like")):
            assert cause not in as_list(answer.get("cause")), name
            alike.add(cause)
    assert not alike - {row[0] for row in rows}, "programs look like causes that do not exist"
    assert not section_names(*DESCRIBED) - alike, "nothing only looks like them"
