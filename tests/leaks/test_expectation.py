# SPDX-License-Identifier: Apache-2.0
"""The judge of the corpus: it accepts the expected answer and notices each way to be wrong."""
import copy
import glob
import os
import re

import pytest

import expectation

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = [HERE, os.path.join(os.path.dirname(HERE), "healthy")]
PATHS = sorted(path for folder in FOLDERS for path in glob.glob(os.path.join(folder, "*.json")))
PATTERNS = {"growing-container", "reference-cycle", "closure", "frame", "unclosed-resource", "unexplained",
            "native-reference", "native-memory"}

CASE = {
    "verdict": ["leak"], "pattern": ["growing-container"], "cause": ["growing-dict"], "types": ["__main__.User", "dict"],
    "holders": ["m.by_number", "m.by_email", r"re:m\.x\[\d+\]"], "also": ["m.by_number", "m.by_email"],
    "rate": [50, 100],
}
ANSWER = {
    "verdict": "leak",
    "suspects": [{"pattern": "growing-container", "cause": "growing-dict", "type": "__main__.User", "path": "m.by_email",
                  "also_held_by": [{"path": "m.by_number"}], "objects_per_second": 60.0}],
}


def test_right_answer():
    assert expectation.judge(CASE, ANSWER) == []


@pytest.mark.parametrize("key, value", [
    ("pattern", "closure"), ("cause", "growing-list"), ("type", "__main__.Other"), ("path", "m.by_name"), ("path", None),
    ("also_held_by", []), ("objects_per_second", 49.0), ("objects_per_second", 101.0)])
def test_wrong_suspect(key, value):
    answer = copy.deepcopy(ANSWER)
    answer["suspects"][0][key] = value
    assert expectation.judge(CASE, answer)


def test_wrong_verdict_and_no_suspect():
    assert expectation.judge(CASE, dict(ANSWER, verdict="steady"))
    assert expectation.judge(CASE, dict(ANSWER, suspects=[]))


def test_slow_variant_expects_a_slower_rate():
    usual, slow = expectation.load(PATHS[0]), expectation.load(PATHS[0], 0.1)
    assert slow["rate"] == pytest.approx([bound / 10 for bound in usual["rate"]])


def test_no_holder_means_no_path():
    case = dict(CASE, holders=[], also=[])
    assert expectation.judge(case, ANSWER)
    answer = copy.deepcopy(ANSWER)
    answer["suspects"][0]["path"] = ""
    assert expectation.judge(case, answer) == []


def test_healthy_program_called_a_leak():
    case = {"verdict": ["steady", "inconclusive"], "cause": []}
    assert expectation.judge(case, {"verdict": "steady", "suspects": []}) == []
    assert expectation.judge(case, ANSWER)
    assert expectation.judge(case, {"verdict": "steady", "suspects": [{"verdict": "leak", "path": "x"}]})


def test_healthy_program_that_still_fills():
    case = {"verdict": ["inconclusive"], "cause": ["still-filling"]}
    for cause, wrong in (("still-filling", 0), ("growing-dict", 1)):
        suspects = [{"verdict": "inconclusive", "cause": cause}]
        assert len(expectation.judge(case, {"verdict": "inconclusive", "suspects": suspects})) == wrong


def test_builtins_and_regular_expressions():
    assert expectation.short_type("builtins.dict") == "dict"
    assert expectation.matches(r"re:m\.x\[\d+\]", "m.x[12]")
    assert not expectation.matches(r"re:m\.x\[\d+\]", "m.x[12].y")


@pytest.mark.parametrize("path", PATHS, ids=os.path.basename)
def test_case_is_complete(path):
    case = expectation.load(path)
    with open(case["program"]) as program:
        driven = re.search(r"backdrop\.(pace|apace|scaled)\(", program.read())
    assert driven, "no variant of it: its loop knows nothing of the pace"
    assert not [h for h in case["holders"] + case["also"] if "{" in h]
    if "leak" in case["verdict"]:
        assert case["types"] and case["rate"][0] < case["rate"][1]
        assert case["pattern"] and set(case["pattern"]) <= PATTERNS
        nobody = {"reference-cycle", "unexplained", "native-reference", "native-memory"} & set(case["pattern"])
        assert bool(case["holders"]) != bool(nobody), "a holder, or a pattern without one"
    else:
        assert set(case["verdict"]) <= {"steady", "inconclusive", "fragmentation"}
