# SPDX-License-Identifier: Apache-2.0
"""A process that is caught between two steps of its own is read all the same, and nothing is lost."""
import os
import signal
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402
import torn_list  # noqa: E402

EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)


@EVERY
@pytest.mark.parametrize("links", [1, 2])
def test_newest_object_half_way_in(interpreter, links):
    script = os.path.join(HERE, "torn_list.py")
    with support.ready_target(interpreter, script, str(links)) as process:
        types = support.heapwhy_json("types", "--json", process.pid)["types"]
        state = support.heapwhy_json("gc", "--json", process.pid)
    counts = {row["type"]: row["objects"] for row in types}
    assert counts["__main__.Cycle"] == torn_list.CYCLES, "garbage is found by the list alone"
    assert [g["threshold"] for g in state["generations"]] == [321, 7, 8]
    assert state["condition"] == "off"


@EVERY
def test_stopped_anywhere(interpreter):
    """Threads that make containers and collect all the time, held still at any instruction."""
    with support.ready_target(interpreter, os.path.join(HERE, "collecting.py")) as process:
        for _ in range(15):
            os.kill(process.pid, signal.SIGSTOP)
            try:
                found = support.heapwhy_json("gc", "--json", "--freeze=stop", process.pid)
            finally:
                os.kill(process.pid, signal.SIGCONT)
            assert found["generations"][0]["threshold"] == 10
