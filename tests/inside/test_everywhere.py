# SPDX-License-Identifier: Apache-2.0
"""What heapwhy offers works wherever a program may call it, in each interpreter, with warnings that are errors, and
says nothing on standard error. What sub-interpreters are told is in test_refusals.py."""
import os
import subprocess

import pytest
from support import clean_environment, heapwhy_binary, package_pythons, package_site

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "everywhere.py")
PLACES = {"one_after_the_other": 4, "threads": 2, "finalizers": 4, "daemons": 1, "forked_amid": 2}
TIMEOUT_S = 120


@pytest.mark.parametrize("python", package_pythons())
@pytest.mark.parametrize("place", PLACES)
def test_it_works_there(python, place, tmp_path):
    environment = {**clean_environment(), "PYTHONPATH": package_site(), "PYTHONDONTWRITEBYTECODE": "1",
                   "TMPDIR": str(tmp_path), "PATH": os.path.dirname(heapwhy_binary()) + os.pathsep + os.environ["PATH"]}
    done = subprocess.run([python, "-X", "dev", "-W", "error", SCRIPT, place], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=TIMEOUT_S, env=environment)
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, ["all"] * PLACES[place], "")
    assert os.listdir(tmp_path) == []
