# SPDX-License-Identifier: Apache-2.0
"""heapwhy is asked about every program of the corpus, and its answer held against the .json.

Every program runs in variants: as it is, with ten times the noise around it, at a tenth of its pace,
and both. A slow leak is watched for as long as a user would. The first interpreter gets every case,
the others a sample of those that need no packages; a few run under every version of Python that the
machine has. Each diagnosis waits some seconds for its
snapshots, so all that were selected run side by side in a pool; a test only waits for its own.
"""
import collections
import concurrent.futures
import glob
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import expectation  # noqa: E402
import support  # noqa: E402

AT_ONCE = int(os.environ.get("CORPUS_AT_ONCE", "12"))
FOLDERS = [HERE, os.path.join(os.path.dirname(HERE), "healthy")]
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
QUICK = ["--snapshots", "3", "--interval", "2s"]
PATIENT = ["--snapshots", "4", "--interval", "5s"]

# first, others: every so many-th case on the first interpreter, on each of the others
Variant = collections.namedtuple("Variant", "name noise rate snapshots first others")
VARIANTS = [
    Variant("", 1, 1.0, QUICK, 1, 3),
    Variant("noisy", 10, 1.0, QUICK, 1, 8),
    Variant("slow", 1, 0.1, PATIENT, 1, 8),
    Variant("slow-in-noise", 10, 0.1, PATIENT, 4, 16),
]
# Where versions of Python differ: attributes, frames, generators and tasks, cycles, bounds in bytecode.
EVERYWHERE = {"coroutine_local", "captured_default", "article_growing_dict", "cycle_bound_methods",
              "closure_registry", "compiled_patterns", "bounds_filling", "cache_filling"}
Run = collections.namedtuple("Run", "case variant interpreter")


def all_paths():
    return sorted(path for folder in FOLDERS for path in glob.glob(os.path.join(folder, "*.json")))


def runs():
    for variant in VARIANTS:
        cases = [expectation.load(path, variant.rate) for path in all_paths()]
        for position, interpreter in enumerate(support.interpreters()):
            every = variant.others if position else variant.first
            able = [case for case in cases if not position or not (case["needs"] or case["run"])]
            for case in able[position % every::every]:
                label = "-".join(part for part in (case["name"], variant.name, interpreter.name) if part)
                yield pytest.param(Run(case, variant, interpreter), id=label)
    for interpreter in support.every_interpreter()[len(support.interpreters()):]:
        for path in all_paths():
            case = expectation.load(path, 1.0)
            if case["name"] in EVERYWHERE:
                label = "%s-%s" % (case["name"], interpreter.name)
                yield pytest.param(Run(case, VARIANTS[0], interpreter), id=label)


def diagnose(run):
    environment = {"HEAPWHY_CORPUS_NOISE": str(run.variant.noise),
                   "HEAPWHY_CORPUS_RATE": str(run.variant.rate)}
    if run.case["run"]:
        environment.update(LD_PRELOAD=AGENT, HEAPWHY_AGENT="4096")
    with support.ready_target(run.interpreter, run.case["program"], env=environment) as process:
        return support.heapwhy_json("--json", *run.variant.snapshots, process.pid)


@pytest.fixture(scope="session")
def answers(request):
    """Starts a diagnosis for every selected test; maps the test's name to the future answer."""
    selected = [item for item in request.session.items
                if "run" in getattr(getattr(item, "callspec", None), "params", {})]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {item.name: pool.submit(diagnose, item.callspec.params["run"]) for item in selected}


@pytest.mark.parametrize("run", list(runs()))
def test_answer(run, answers, request):
    answer = answers[request.node.name].result()
    wrong = expectation.judge(run.case, answer)
    assert not wrong, "%s (%s)" % ("; ".join(wrong), run.case["why"])


def leaks_found(answers, request):
    """(program, test, suspect) of each answer that names the expected leak."""
    for item in request.session.items:
        if item.name not in answers or answers[item.name].exception():
            continue
        run = item.callspec.params["run"]
        answer = answers[item.name].result()
        if answer["verdict"] == "leak" and not expectation.judge(run.case, answer):
            yield run.case["name"], item.name, answer["suspects"][0]


def test_a_fingerprint_is_one_mistake_under_every_interpreter(answers, request):
    """Of those selected with it: other processes, hash seeds and versions, the same fingerprint;
    other programs, another one, unless they make the same mistake with objects of the same names:
    cycles have no place that would tell them apart."""
    of_program, of_fingerprint = {}, {}
    for program, test, suspect in leaks_found(answers, request):
        fingerprint = suspect["fingerprint"]
        assert of_program.setdefault(program, fingerprint) == fingerprint, (program, test)
        names = (suspect["type"], suspect["shape"])
        first = of_fingerprint.setdefault(fingerprint, (program, names))
        assert program == first[0] or names == first[1], (program, test, first)
