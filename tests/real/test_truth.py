# SPDX-License-Identifier: Apache-2.0
"""Objects, types, sizes and edges read from outside are what the process itself says."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support  # noqa: E402
import truth  # noqa: E402

LEAST_OBJECTS = 20000


@pytest.mark.parametrize("interpreter", support.every_interpreter(), ids=lambda i: i.name)
def test_truth(interpreter, capsys):
    result = truth.probe(interpreter)
    report = "\n".join(result.report())
    with capsys.disabled():
        print("\n%s\n%s" % (interpreter.name, report))
    assert len(result.dump.objects) > LEAST_OBJECTS
    assert result.right(), report
