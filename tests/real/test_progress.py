# SPDX-License-Identifier: Apache-2.0
"""How far suspended functions, futures and weak references have come is what the process says."""
import json
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402


def show(pid, name):
    return support.heapwhy_json("show", "--json", pid, "sys.modules['__main__'].%s" % name)["objects"][0]


def elements(pid, name):
    """What heapwhy says of the elements of a list."""
    return [link["value"] for link in show(pid, name)["referents"] if link["edge"].startswith("[")]


@pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
def test_progress(interpreter):
    said = []
    script = os.path.join(HERE, "progress.py")
    with support.ready_target(interpreter, script, sink=said.append) as process:
        truth = json.loads(said[-1])
        pid = process.pid
        assert [text.split(", ", 1)[1] for text in elements(pid, "generators")] == \
            truth["generators"]
        assert elements(pid, "frames")[0].endswith("at line %d" % truth["frame"])
        assert elements(pid, "tasks") == ["pending", "finished"]
        assert elements(pid, "futures") == ["pending", "cancelled", "finished"]
        references = elements(pid, "references")
        assert references[0].startswith("to <__main__.Thing at 0x") and references[1] == "dead"
        coroutine = json.dumps(show(pid, "tasks[0]"))
        assert "at line %d" % truth["coroutine"] in coroutine
        assert show(pid, "ended")["value"].endswith("finished")
