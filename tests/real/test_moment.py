# SPDX-License-Identifier: Apache-2.0
"""Snapshots of one process are taken while it rests, though its period fits theirs and it works when
the first one is due."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import bursts  # noqa: E402
import support  # noqa: E402

EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)


@EVERY
def test_what_is_in_hands_while_it_works_is_not_seen(interpreter):
    with support.ready_target(interpreter, os.path.join(HERE, "bursts.py")) as process:
        answer = support.heapwhy_json("--json", "-n", "3", "-i", "1s", process.pid)
    counts = [shot["objects"] for shot in answer["snapshots"]]
    assert max(counts) - min(counts) < bursts.OBJECTS / 4
    assert answer["verdict"] == "steady"
