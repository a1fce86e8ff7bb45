# SPDX-License-Identifier: Apache-2.0
"""Reads the .json beside a program of the corpus and judges a diagnosis by it."""
import json
import os
import re


def as_list(value):
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def short_type(name):
    """heapwhy may leave builtins. out; type(o).__module__ does not."""
    return name[len("builtins."):] if name.startswith("builtins.") else name


def line_of(program, text):
    with open(program) as source:
        for number, line in enumerate(source, 1):
            if text in line:
                return number
    raise ValueError("%s: no line contains %r" % (program, text))


def with_lines(program, path):
    """Replaces {line def main} by the number of the first line that contains 'def main'."""
    return re.sub(r"\{line ([^}]+)\}", lambda m: str(line_of(program, m.group(1))), path)


def load(path, rate=1.0):
    """rate: how fast the program runs in this variant, against the pace that it states."""
    with open(path) as source:
        raw = json.load(source)
    program = os.path.splitext(path)[0] + ".py"
    return {
        "name": os.path.splitext(os.path.basename(path))[0],
        "program": program,
        "verdict": as_list(raw["verdict"]),
        "pattern": as_list(raw.get("pattern")),
        "cause": as_list(raw.get("cause")),
        "types": [short_type(name) for name in as_list(raw.get("type"))],
        "holders": [with_lines(program, one) for one in as_list(raw.get("holder"))],
        "also": [with_lines(program, one) for one in as_list(raw.get("also"))],
        "needs": as_list(raw.get("needs")),
        "run": raw.get("run", False),
        "check": raw.get("check"),
        "rate": [bound * rate for bound in raw.get("rate", [])],
        "why": raw["why"],
    }


def matches(expected, path):
    if expected.startswith("re:"):
        return re.fullmatch(expected[3:], path) is not None
    return expected == path


def path_of(entry):
    return entry if isinstance(entry, str) else entry.get("path") or ""


def judge(case, answer):
    """Everything that is wrong with a diagnosis, as sentences; an empty list is a pass."""
    wrong = []
    if answer["verdict"] not in case["verdict"]:
        wrong.append("verdict %s, expected %s" % (answer["verdict"], " or ".join(case["verdict"])))
    if "leak" not in case["verdict"]:
        leaks = [s for s in answer["suspects"] if s.get("verdict") == "leak"]
        return wrong + judge_cause(case, answer["suspects"][:1]) + [
            "suspect called a leak: %s" % path_of(s) for s in leaks]
    if not answer["suspects"]:
        return wrong + ["no suspect"]
    return wrong + judge_suspect(case, answer["suspects"][0])


def judge_cause(case, suspects):
    return ["cause %s, expected %s" % (suspect["cause"], " or ".join(case["cause"]))
            for suspect in suspects if case["cause"] and suspect["cause"] not in case["cause"]]


def judge_suspect(case, suspect):
    wrong = judge_cause(case, [suspect])
    if suspect["pattern"] not in case["pattern"]:
        wrong.append("pattern %s, expected %s" % (suspect["pattern"], " or ".join(case["pattern"])))
    if short_type(suspect["type"]) not in case["types"]:
        wrong.append("type %s, expected %s" % (suspect["type"], " or ".join(case["types"])))
    path = suspect.get("path") or ""
    if not any(matches(one, path) for one in case["holders"] or [""]):
        wrong.append("path %r, expected %s" % (path, " or ".join(case["holders"]) or "none"))
    named = [path] + [path_of(one) for one in suspect.get("also_held_by") or []]
    for also in case["also"]:
        if not any(matches(also, one) for one in named):
            wrong.append("holder %s is not named" % also)
    low, high = case["rate"]
    if not low <= suspect["objects_per_second"] <= high:
        wrong.append("rate %.1f/s, expected %s" % (suspect["objects_per_second"], case["rate"]))
    return wrong
