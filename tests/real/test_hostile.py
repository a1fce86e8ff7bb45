# SPDX-License-Identifier: Apache-2.0
"""A process whose memory is full of lies cannot crash, hang or bloat heapwhy."""
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

GRAPHS = int(os.environ.get("HEAPWHY_HOSTILE", "150"))


def program():
    return os.path.join(os.path.dirname(support.heapwhy_binary()), "tests", "real", "hostile")


@pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
def test_damaged_memory(interpreter):
    with support.ready_target(interpreter, os.path.join(HERE, "idle.py"), "sleep") as process:
        done = subprocess.run([program(), str(process.pid), str(GRAPHS)], capture_output=True,
                              text=True, timeout=900)
    assert done.returncode == 0, (done.returncode, done.stderr)
    answer = json.loads(done.stdout)
    assert answer["built"] + answer["refused"] == GRAPHS
    assert answer["max_rss_kb"] < 1 << 20


@pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
def test_restless_process(interpreter):
    """What changes between two reads of a running process is no sign of an unknown CPython."""
    with support.ready_target(interpreter, os.path.join(HERE, "restless.py")) as process:
        for _ in range(60):
            assert support.heapwhy_json("types", "--json", process.pid)["objects"] > 1000
