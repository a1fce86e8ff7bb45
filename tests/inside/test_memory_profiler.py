# SPDX-License-Identifier: Apache-2.0
"""memory_profiler's own tests, with ours in its place, and examples that articles give for it."""
import os
import shutil
import subprocess
import sys

import pytest
from support import SYSTEM_PYTHON, TESTS, clean_environment, package_site

sys.path.insert(0, os.path.join(TESTS, "env"))
import peers  # noqa: E402

# What is imported as memory_profiler.
SHIM = """import sys
import heapwhy.compat.memory_profiler as ours
sys.modules[__name__] = ours
if __name__ == "__main__":
    sys.exit(ours.main())
"""

UNDER_THE_PROFILER = ["test_as", "test_func", "test_gen", "test_global", "test_loop", "test_loop_decorated", "test_mprofile",
                      "test_nested", "test_precision_command_line", "test_unicode"]
AS_SCRIPTS = ["test_async", "test_attributes", "test_exception", "test_import", "test_memory_usage",
              "test_precision_import", "test_stream_unicode", "test_tracemalloc"]
UNDER_PYTEST = ["test_increment_display", "test_memory_usage"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    try:
        source = peers.sdist("memory_profiler", "0.61.0")
    except OSError as error:
        pytest.skip(str(error))
    place = tmp_path_factory.mktemp("memory_profiler")
    shutil.copytree(os.path.join(source, "test"), place / "test")
    (place / "memory_profiler.py").write_text(SHIM)
    return place


def run(place, *command):
    done = subprocess.run([SYSTEM_PYTHON, *command], cwd=place, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**clean_environment(), "PYTHONPATH": "%s:%s" % (place, package_site())}, timeout=100)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("name", UNDER_THE_PROFILER)
def test_under_the_profiler(suite, name):
    assert name == "test_global" or "Line #    Mem usage" in run(suite, "-m", "memory_profiler", "test/%s.py" % name)


@pytest.mark.parametrize("name", AS_SCRIPTS)
def test_as_a_script(suite, name):
    run(suite, "test/%s.py" % name)


@pytest.mark.parametrize("name", UNDER_PYTEST)
def test_under_pytest(suite, name):
    run(suite, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test/%s.py" % name)


ARTICLE = """
@profile
def process_large_data(data):
    temp_list = [i * 2 for i in data]
    another_large_obj = {f"key_{i}": i for i in range(100000)}
    return temp_list

if __name__ == '__main__':
    large_data = list(range(1000000))
    result = process_large_data(large_data)
    del result
    del large_data
"""


def test_the_articles_example(tmp_path):
    (tmp_path / "memory_profiler.py").write_text(SHIM)
    (tmp_path / "your_script.py").write_text(ARTICLE)
    rows = [line.split() for line in run(tmp_path, "-m", "memory_profiler", "your_script.py").splitlines()]
    told = {row[0]: float(row[3]) for row in rows if len(row) > 6 and row[2] == "MiB"}
    assert 36 < told["4"] < 42    # a list of a million references, and almost as many new numbers
    assert 9 < told["5"] < 16     # a dict, and its keys
    assert abs(told["6"]) < 1


def test_log_files_take_what_is_wanted(caplog):
    from heapwhy.compat.memory_profiler import LogFile
    with caplog.at_level("INFO", "memory_profile_log"):
        log = LogFile("memory_profile_log", reportIncrementFlag=True)
        for text in ("Filename: a.py", "  4   10.0 MiB    5.0 MiB", "  5   10.0 MiB    0.0 MiB", "nothing"):
            log.write(text)
        log.flush()
    assert [record.message for record in caplog.records] == ["Filename: a.py", "  4   10.0 MiB    5.0 MiB"]
