# SPDX-License-Identifier: Apache-2.0
"""heapwhy is asked about every program of the corpus, and its answer held against the .json.

Each diagnosis waits some seconds for its snapshots, so all that were selected run side by side in a
small pool; a test only waits for its own. The first interpreter gets every case, the others every
third.
"""
import concurrent.futures
import glob
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import expectation  # noqa: E402
import support  # noqa: E402

AT_ONCE = int(os.environ.get("CORPUS_AT_ONCE", "6"))
SNAPSHOTS = ["--snapshots", "3", "--interval", "2s"]
FOLDERS = [HERE, os.path.join(os.path.dirname(HERE), "healthy")]


def all_cases():
    paths = [path for folder in FOLDERS for path in glob.glob(os.path.join(folder, "*.json"))]
    return [expectation.load(path) for path in sorted(paths)]


def pairs():
    for position, interpreter in enumerate(support.interpreters()):
        for number, case in enumerate(all_cases()):
            if position == 0 or number % 3 == position % 3:
                label = "%s-%s" % (case["name"], interpreter.name)
                yield pytest.param((case, interpreter), id=label)


def diagnose(pair):
    case, interpreter = pair
    with support.ready_target(interpreter, case["program"]) as process:
        return support.heapwhy_json("--json", *SNAPSHOTS, process.pid)


@pytest.fixture(scope="session")
def answers(request):
    """Starts a diagnosis for every selected test; maps the test's name to the future answer."""
    selected = [item for item in request.session.items
                if "pair" in getattr(getattr(item, "callspec", None), "params", {})]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {item.name: pool.submit(diagnose, item.callspec.params["pair"]) for item in selected}


@pytest.mark.parametrize("pair", list(pairs()))
def test_answer(pair, answers, request):
    case, _ = pair
    answer = answers[request.node.name].result()
    wrong = expectation.judge(case, answer)
    assert not wrong, "%s (%s)" % ("; ".join(wrong), case["why"])
