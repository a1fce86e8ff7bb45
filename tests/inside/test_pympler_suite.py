# SPDX-License-Identifier: Apache-2.0
"""Pympler's own tests against heapwhy.compat.pympler: all pass but those that pympler-exceptions.txt explains."""
import json
import os
import re
import subprocess
import sys

import pytest
from support import TESTS, clean_environment, package_pythons, package_site

sys.path.insert(0, os.path.join(TESTS, "env"))
import peers  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
# All of its test modules but gui.test_web: there is no web server here.
MODULES = ["asizeof.test_asizeof", "gui.test_garbage", "muppy.test_mprofile", "muppy.test_muppy",
           "muppy.test_refbrowser", "muppy.test_summary", "muppy.test_tracker", "test_process",
           "tracker.test_classtracker", "tracker.test_stats"]
TEST_COUNT = 120
SUITE_SECONDS = 900


def version_of(python):
    told = subprocess.check_output([python, "-c", "import sys; print(*sys.version_info[:2])"], text=True)
    return tuple(map(int, told.split()))


def applies(versions, version):
    if versions == "any":
        return True
    major, minor, up = re.fullmatch(r"(\d+)\.(\d+)(\+?)", versions).groups()
    named = int(major), int(minor)
    return version >= named if up else version == named


def exceptions(version):
    """{test id: "always" or "sometimes"}."""
    with open(os.path.join(HERE, "pympler-exceptions.txt")) as file:
        rows = [line.split(" | ") for line in file if line.strip() and not line.startswith("#")]
    return {name: how for name, versions, how, _ in rows if applies(versions, version)}


def run_suite(python):
    command = [python, os.path.join(HERE, "peer_suite.py"), "pympler", os.path.join(peers.sdist("pympler", "1.1"), "test")]
    done = subprocess.run(command + MODULES, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=SUITE_SECONDS, env={**clean_environment(), "PYTHONPATH": package_site()})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def some_pythons():
    """The oldest and the newest of those that the package is built for, and the main one."""
    pythons = package_pythons()
    by_version = sorted(pythons, key=version_of)
    return list(dict.fromkeys([pythons[0], by_version[0], by_version[-1]]))


@pytest.mark.parametrize("python", some_pythons())
def test_pympler_s_own_tests_pass(python):
    told, known = run_suite(python), exceptions(version_of(python))
    unexplained = {name: why for name, why in told["failed"].items() if name not in known}
    assert not unexplained
    assert len(told["passed"]) + len(told["failed"]) == TEST_COUNT
    healed = [name for name in told["passed"] if known.get(name) == "always"]
    assert not healed, "they pass now: take them off the list"
