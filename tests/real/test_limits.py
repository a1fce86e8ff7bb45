# SPDX-License-Identifier: Apache-2.0
"""heapwhy with less than it needs says so, and tells no half of the truth."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import support  # noqa: E402


@pytest.mark.parametrize("limit_mb", [100, 200, 280])
def test_a_part_that_there_is_no_room_for_is_not_passed_over(limit_mb):
    """With less address space than the target has, nothing is told of what could be read."""
    code = "kept = [[str(i)] for i in range(2000000)]; print('READY', flush=True); import time; time.sleep(100)"
    target = subprocess.Popen([support.SYSTEM_PYTHON, "-c", code], stdout=subprocess.PIPE)
    target.stdout.readline()
    try:
        done = subprocess.run(["sh", "-c", "ulimit -v $0; exec \"$@\"", str(limit_mb * 1000), support.heapwhy_binary(),
                               "types", str(target.pid)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        target.kill()
        target.communicate()
    assert done.returncode == 1 and done.stdout == ""
    assert "ulimit -v" in done.stderr or "out of memory" in done.stderr
