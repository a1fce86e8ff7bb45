# SPDX-License-Identifier: Apache-2.0
"""Allocation sites, read from outside, are what the process's own tracemalloc says."""
import json
import os
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

SCRIPT = os.path.join(HERE, "sites_truth.py")
EVERY = pytest.mark.parametrize("interpreter", support.every_interpreter(), ids=lambda i: i.name)
MAIN = support.interpreters()[0]
BY = {"lineno": "line", "filename": "filename", "traceback": "traceback"}


class Told:
    """What the target printed: the last of it as JSON."""

    def __call__(self, line):
        self.text = json.loads(line)


def go_on(target, told):
    target.send_signal(signal.SIGUSR1)
    support.wait_until_ready(target, told)
    return told.text


def stack_of(site, key):
    if key == "filename":
        return ((site["file"], 0),)
    frames = [site] + site.get("callers", [])
    return tuple((frame["file"], frame["line"]) for frame in frames)


def is_own(path):
    return path.endswith(("/sites_truth.py", "/tracemalloc.py", "/signal.py")) or "/json/" in path


def found_rows(answer, key):
    return {stack_of(site, key): (site["blocks"], site["bytes"], site.get("blocks_delta", 0), site.get("bytes_delta", 0))
            for site in answer["sites"] if not is_own(site["file"])}


def true_rows(rows):
    return {tuple(map(tuple, stack)): tuple(numbers) for stack, *numbers in rows}


def compare(answer, before, after, key):
    """Exactly the same sites with the same counts, where the process told the same before and after.

    What it made while it told, and freed before it told again, it told nowhere: a few sites more.
    """
    found, before, after = found_rows(answer, key), true_rows(before), true_rows(after)
    assert len(before) > (1 if key == "filename" else 10)
    places = before.keys() | after.keys()
    assert len(found.keys() - places) <= 3, found.keys() - places
    still = {place for place in places if before.get(place) == after.get(place)}
    assert len(still) > 0.9 * len(places) - 3
    different = {place: (found.get(place), before.get(place)) for place in still
                 if found.get(place) != before.get(place)}
    assert not different, "found, true: %r" % dict(list(different.items())[:5])


def wait_until_asleep(pid):
    """On a busy machine it may still be on its way from printing to waiting, amid a change of its tables."""
    for _ in range(1000):
        with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as stat:
            if stat.read().rpartition(")")[2].split()[0] == "S":
                return
        time.sleep(.01)


def check(target, told):
    """Returns the sites by line. The target's next step is `again`."""
    wait_until_asleep(target.pid)
    answers = {key: support.heapwhy_json("sites", "--json", target.pid, "--by", by) for key, by in BY.items()}
    before = told.text
    after = go_on(target, told)
    for key, answer in answers.items():
        compare(answer, before[key], after[key], key)
        assert answer["blocks_missed"] == 0
        assert answer["frame_limit"] == before["limit"]
        assert sum(site["blocks"] for site in answer["sites"]) == answer["blocks"]
        assert sum(domain["bytes"] for domain in answer["domains"]) == answer["bytes"]
    return answers["lineno"]


@EVERY
@pytest.mark.parametrize("steps", [
    "start=1 work rehearse tell again",
    "work start=25 work track drop rehearse tell again",
    "start=3 work stop work start=4 work rehearse clear work tell again",
], ids=lambda steps: steps.replace(" ", ","))
def test_sites_are_those_of_the_process(interpreter, steps):
    told = Told()
    with support.ready_target(interpreter, SCRIPT, *steps.split(), sink=told) as target:
        check(target, told)


@EVERY
def test_from_the_start_of_the_interpreter(interpreter):
    told = Told()
    with support.ready_target(interpreter, SCRIPT, "work", "track", "rehearse", "tell", "again", sink=told,
                              env={"PYTHONTRACEMALLOC": "2"}) as target:
        answer = check(target, told)
    numbers = {domain["domain"]: domain for domain in answer["domains"]}
    assert numbers[389047]["blocks"] == 200 and numbers[389047]["bytes"] == 128000
    assert numbers[7]["blocks"] == 2 and numbers[7]["bytes"] == 1 << 33
    sessions = [site for site in answer["sites"] if site["type"] == "sites_work.Session"]
    assert [site["type_objects"] for site in sessions] == [400]
    slotted = [site for site in answer["sites"] if site["type"] == "sites_work.Slotted"]
    assert [site["type_objects"] for site in slotted] == [300]


@EVERY
def test_comparison_is_that_of_the_process(interpreter, tmp_path):
    told = Told()
    before, after = tmp_path / "a.hwsnap", tmp_path / "b.hwsnap"
    steps = "start=5 work work track rehearse tell drop work tell again".split()
    with support.ready_target(interpreter, SCRIPT, *steps, sink=told) as target:
        support.heapwhy("snapshot", target.pid, "-o", before)
        true = [go_on(target, told)["compare"]]
        support.heapwhy("snapshot", target.pid, "-o", after)
        true.append(go_on(target, told)["compare"])
    for key, by in BY.items():
        answer = support.heapwhy_json("sites", "--json", after, before, "--by", by)
        compare(answer, true[0][key], true[1][key], key)
        deltas = [abs(site["bytes_delta"]) for site in answer["sites"]]
        assert deltas == sorted(deltas, reverse=True)
        assert sum(site["bytes_delta"] for site in answer["sites"]) == answer["bytes_delta"]


def test_a_table_whose_first_buckets_are_empty(tmp_path):
    """A bucket is chosen by the block's address: blocks that lie together leave most of a large table empty."""
    (tmp_path / "spread.py").write_text(
        "import ctypes, time, tracemalloc\ntracemalloc.start(1)\n"
        "track = ctypes.pythonapi.PyTraceMalloc_Track\ntrack.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]\n"
        "for n in range(300000):\n    track(0, (0x80000 + n) * 16, 5)\n"
        "print('READY', flush=True)\ntime.sleep(1000)\n")
    with support.ready_target(MAIN, str(tmp_path / "spread.py")) as target:
        wait_until_asleep(target.pid)
        answer = support.heapwhy_json("sites", "--json", target.pid)
    assert [site["bytes"] for site in answer["sites"] if site["line"] == 6 and site["blocks"] >= 300000]


def refusal(target):
    done = subprocess.run([support.heapwhy_binary(), "sites", str(target.pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    return done.stderr


@EVERY
@pytest.mark.parametrize("steps", ["work tell", "start=4 work stop work tell"],
                         ids=lambda steps: steps.replace(" ", ","))
def test_nothing_is_made_up_without_tracing(interpreter, steps):
    with support.ready_target(interpreter, SCRIPT, *steps.split(), sink=Told()) as target:
        assert "tracemalloc.start(10)" in refusal(target)


OLD = [one for one in support.every_interpreter() if one.name.endswith(("3.9.18", "3.10.13", "3.11", "3.11.7"))]


@pytest.mark.parametrize("interpreter", OLD, ids=lambda i: i.name)
def test_tables_that_are_not_found_are_not_made_up(interpreter):
    """Up to 3.11 they are known by what is in them alone."""
    with support.ready_target(interpreter, SCRIPT, "start=3", "work", "stop", "pretend", sink=Told()) as target:
        assert "with certainty" in refusal(target)
        assert support.heapwhy_json("types", "--json", target.pid)["objects"] > 10000


def test_text_names_lines_and_types():
    with support.ready_target(MAIN, SCRIPT, "start=3", "work", "tell", sink=Told()) as target:
        lines = support.heapwhy("sites", target.pid)
        stacks = support.heapwhy("sites", target.pid, "--by=traceback", "--all")
    assert "sites_work.Session" in lines and "sites_work.py:" in lines and "3 frames deep" in lines
    assert "    from " in stacks and "more callers, not kept" in stacks


LEAK = """
import sys, time
class Session:
    pass
def serve(kept):
    one = Session()
    one.body = "x" * 2000 + str(id(one))
    kept.append(one)
def loop(kept):
    while True:
        serve(kept)
        time.sleep(0.002)
print("READY", flush=True)
kept = []
loop(kept)
"""


@pytest.mark.parametrize("frames,callers", [("9", [11, 15]), ("1", [])])
def test_suspects_say_where_they_were_created(tmp_path, frames, callers):
    script = tmp_path / "leak.py"
    script.write_text(LEAK)
    with support.ready_target(MAIN, str(script), env={"PYTHONTRACEMALLOC": frames}) as target:
        support.heapwhy(target.pid, "-i", "1s", "--save", tmp_path / "kept")
    files = sorted((tmp_path / "kept").iterdir())
    answer = support.heapwhy_json("diagnose", "--json", *files)
    suspect = answer["suspects"][0]
    assert suspect["type"] == "__main__.Session"
    first, = suspect["created"]
    assert os.path.basename(first["file"]) == "leak.py" and first["line"] == 6
    assert [caller["line"] for caller in first["callers"]] == callers
    assert first["objects"] == suspect["created_known"] == suspect["created_looked"] > 50
    text = support.heapwhy("diagnose", *files)
    assert "Created  leak.py:6" in text
    one = support.heapwhy_json("diagnose", "--json", files[-1])
    created = [row for row in one["suspects"] if row["type"] == "__main__.Session"][0]["created"]
    assert created[0]["line"] == 6


def test_without_tracing_a_diagnosis_says_nothing_of_it(tmp_path):
    script = tmp_path / "leak.py"
    script.write_text(LEAK)
    with support.ready_target(MAIN, str(script)) as target:
        answer = support.heapwhy_json(target.pid, "-i", "1s", "--json")
        text = support.heapwhy(target.pid, "-n", "2", "-i", "1s")
    assert answer["suspects"][0]["created"] == []
    assert "Created" not in text
