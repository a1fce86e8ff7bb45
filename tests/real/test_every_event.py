# SPDX-License-Identifier: Apache-2.0
"""heapwhy run --every: the recording says of every block what is true, whatever the program does."""
import glob
import json
import os
import signal
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)
import recording  # noqa: E402
import support  # noqa: E402

WORK = os.path.join(HERE, "recorded_work.py")
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
WITH_AGENT = [python for python in support.every_interpreter() if not python.name.startswith("static")]
MAIN = support.interpreters()[0]
HEADERS = (0, 16, 32)  # what lies before an object in its block: nothing, the collector's head, dict and weak references, too


def run(*args, **how):
    command = [os.path.abspath(support.heapwhy_binary()), "run"] + [str(arg) for arg in args]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100,
                          **{"env": support.clean_environment(), **how})


def record(path, *args, **how):
    done = run("-o", path, "--every", support.SYSTEM_PYTHON, *args, **how)
    assert (done.returncode, done.stderr) == (0, "")
    return recording.Recording(path), done.stdout


def block_of(replayed, address):
    found = [replayed.live[address - before] for before in HEADERS if address - before in replayed.live]
    return found[0] if len(found) == 1 else None


def assert_truth(replayed, truth, least):
    """Every kept object is in a live block, made where tracemalloc says it was."""
    assert len(truth["kept"]) >= least
    for address, trace in truth["kept"]:
        block = block_of(replayed, address)
        assert block, hex(address)
        stack = [(file, line) for file, _, line in replayed.stack(block.site)]
        assert stack == [tuple(frame) for frame in trace][:len(stack)] and len(stack) >= min(len(trace), 60)


@pytest.mark.parametrize("interpreter", WITH_AGENT, ids=lambda python: python.name)
def test_it_says_what_is_true(interpreter, tmp_path):
    place = interpreter.share(str(tmp_path))
    env = {**support.clean_environment(), "LD_PRELOAD": interpreter.share(AGENT), "HEAPWHY_AGENT": "16384",
           "HEAPWHY_AGENT_EVERY": "1", "HEAPWHY_AGENT_FILE": place + "/r", "PYTHONTRACEMALLOC": "64"}
    process = interpreter.popen(WORK, ["objects", "deep", "moved", "remade", "threads", "churn"], env=env,
                                stdout=subprocess.PIPE, text=True)
    out = process.communicate()[0]
    assert process.returncode == 0
    (path,) = glob.glob((interpreter.root or "") + place + "/r.*")
    replayed = recording.Recording(path)
    assert_truth(replayed, json.loads(out), 2000)
    assert replayed.ended and not replayed.missed and replayed.python >> 16 >= 0x309
    assert len(replayed.data) <= 5 * replayed.events
