# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: what leaks is found with its holder, what only looks like it is not, and pytest stays as it is.

tests/inside/suites: one with a leak of each kind, each with what must be told; one without any.
"""
import json
import os
import re
import subprocess
import sys
import textwrap

import pytest
from support import TESTS, clean_environment, package_pythons, package_site

sys.path.insert(0, os.path.join(TESTS, "env"))
import peers  # noqa: E402

SUITES = os.path.join(TESTS, "inside", "suites")
PLUGIN = ["-p", "heapwhy.pytest_plugin", "-p", "no:cacheprovider"]
pytest_plugins = ["pytester"]


def run_suite(name, findings, *options):
    """Runs a suite in a pytest of its own; {test: (kind, text, docstring)}."""
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *PLUGIN, *options, name], cwd=SUITES, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=1200,
                          env={**clean_environment(), "PYTHONPATH": package_site(), "HEAPWHY_FINDINGS": str(findings),
                               "PYTHONDONTWRITEBYTECODE": "1"})
    with open(findings, encoding="utf-8") as file:
        return done, json.load(file)


def test_each_kind_of_leak_is_found_with_its_holder(tmp_path):
    done, findings = run_suite("leaky.py", tmp_path / "findings", "--heapwhy")
    assert done.returncode == 0, done.stdout  # without a marker it only reports
    wrong = {name: text for name, (kind, text, wanted) in findings.items()
             if (kind == "leak") == (wanted.strip() == "^$") or not re.search(wanted.strip(), text)}
    assert not wrong and len(findings) >= 25


@pytest.mark.parametrize("run", range(int(os.environ.get("HEAPWHY_SUITE_RUNS", "1"))))  # 200 before a release
def test_nothing_is_told_of_a_suite_that_only_looks_like_it(tmp_path, run):
    done, findings = run_suite("healthy.py", tmp_path / "findings", "--heapwhy-fail", "--doctest-modules")
    assert done.returncode == 0, done.stdout
    assert {kind for kind, _, _ in findings.values()} <= {"clean", "skipped"}
    assert sum(kind == "clean" for kind, _, _ in findings.values()) >= 44


@pytest.fixture
def suite(pytester, monkeypatch):
    """suite(code, *options): runs a file with the plugin in a process of its own."""
    monkeypatch.setenv("PYTHONPATH", package_site())
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def run(code, *options):
        pytester.makepyfile(test_it=code)
        return pytester.runpytest_subprocess(*PLUGIN, *options)

    return run


def test_a_marked_test_that_leaks_fails_and_tells_the_holder(suite):
    result = suite("""
        import pytest
        kept = []
        class Session: pass
        @pytest.mark.no_leaks
        def test_leak():
            kept.append(Session())
        def test_not_marked():
            kept.append(Session())
    """)
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["the test leaks: every one of * repeats left behind", "*test_it.Session  +1 object, *"])
    assert "held by\n  sys.modules['test_it'].kept  list, +1 item a repeat, the last is test_it.Session" in result.stdout.str()


@pytest.mark.parametrize("arguments, leaks", [
    ("", True), ("objects=1", False), ("objects=0", True), ("bytes=100000", False), ("bytes=10", True),
    ("types='Session'", True), ("types=Session", True), ("types=['test_it.Session', 'x.Y']", True), ("types='Other'", False),
    ("repeats=3, warmup=1", True)])
def test_limits(suite, arguments, leaks):
    suite("""
        import pytest
        kept = []
        class Session:
            __slots__ = ()
        class Other: pass
        @pytest.mark.no_leaks(%s)
        def test_leak():
            kept.append(Session())
    """ % arguments).assert_outcomes(failed=int(leaks), passed=int(not leaks))


def test_unknown_arguments_are_an_error(suite):
    result = suite("""
        import pytest
        @pytest.mark.no_leaks(object=1)
        def test_it(): pass
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*no_leaks takes the keywords objects, bytes, types, repeats, warmup*"])


WRONG_VALUES = {
    "repeats=0": "repeats must be 1 or more, not 0", "repeats=-3": "repeats must be 1 or more, not -3",
    "warmup=-1": "warmup must be 0 or more, not -1", "bytes=-1": "bytes must be 0 or more, not -1",
    "objects='x'": "objects must be a whole number, not a str", "objects=1.5": "objects must be a whole number, not a float",
    "types=3": "types are classes or their names; there is an int among them", "types=[]": "types has no type in it",
    "types='Sesion'": "types: no class is called 'Sesion'*; there is 'Session'",
    "types='app.NoSuch'": "types: no class is called 'app.NoSuch'"}


def test_wrong_values_fail_their_test_alone(suite):
    marked = "".join("@pytest.mark.no_leaks(%s)\ndef test_%d(): kept.append(Session())\n" % (options, number)
                     for number, options in enumerate(WRONG_VALUES))
    result = suite("import pytest\nkept = []\nclass Session: pass\n%sdef test_not_marked(): pass\n" % marked)
    result.assert_outcomes(failed=len(WRONG_VALUES), passed=1)
    result.stdout.fnmatch_lines(["*no_leaks: %s*" % text for text in WRONG_VALUES.values()])


def test_a_class_that_only_the_test_has_may_be_named(suite):
    suite("""
        import pytest
        @pytest.mark.no_leaks(types="Mine")
        def test_local():
            class Mine: pass
            Mine()
    """).assert_outcomes(passed=1)


@pytest.mark.parametrize("option, text", [
    ("--heapwhy-repeats=0", "must be 1 or more, not 0"), ("--heapwhy-warmup=-1", "must be 0 or more, not -1"),
    ("--heapwhy-repeats=x", "invalid int value: 'x'")])
def test_wrong_options_are_errors_of_usage(suite, option, text):
    result = suite("def test_it(): pass", "--heapwhy", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument %s: %s*" % (option.partition("=")[0], text.replace("[", "[[]"))])


def test_a_known_leak_may_be_expected(suite):
    suite("""
        import pytest
        kept = []
        @pytest.mark.xfail(reason="known")
        @pytest.mark.no_leaks
        def test_leak():
            kept.append(object())
    """).assert_outcomes(xfailed=1)


def test_a_test_that_can_not_be_repeated(suite):
    code = """
        import pytest
        seen = []
        %s
        def test_once():
            seen.append(1)
            assert len(seen) == 1
    """
    result = suite(code % "@pytest.mark.no_leaks")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["the test passes once, but not when it is repeated*assert 2 == 1*"])
    result = suite(code % "", "--heapwhy")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test_once: not checked: *", "0 leak, 0 do not, 1 could not be repeated*"])


def test_failures_and_fixtures_are_as_without_the_plugin(suite):
    code = """
        import pytest
        log = []
        @pytest.fixture(scope="module")
        def wide():
            log.append("wide up"); yield 1; log.append("wide down")
        @pytest.fixture
        def narrow(wide):
            log.append("up"); yield 2; log.append("down")
        @pytest.fixture
        def broken(): raise ValueError("setup")
        @pytest.fixture
        def late():
            yield
            raise ValueError("teardown")
        @pytest.fixture(scope="module")
        def late_wide():
            yield
            raise ValueError("wide teardown")
        def test_pass(narrow): pass
        def test_fail(narrow): assert narrow == 3
        def test_broken(broken): pass
        def test_late(late): pass
        def test_counts():
            assert log.count("wide up") == 1 and log.count("wide down") == 0
            assert log.count("up") == log.count("down") and log.count("up") >= 2
        def test_last(late_wide): pass
    """
    result = suite(code, "--heapwhy")
    result.assert_outcomes(passed=4, failed=1, errors=3)
    result.stdout.fnmatch_lines(["*ERROR at setup of test_broken*", "*ERROR at teardown of test_late*",
                                 "*ERROR at teardown of test_last*"])


def test_output_and_properties_are_told_once(suite, pytester):
    suite("""
        def test_it(record_property):
            print("printed")
            record_property("key", "value")
    """, "--heapwhy", "--junitxml=out.xml", "-o", "junit_logging=all")
    told = (pytester.path / "out.xml").read_text()
    assert told.count("printed") == 1 and told.count('value="value"') == 1


def test_classes_of_unittest(suite):
    result = suite("""
        import unittest
        kept = []
        class Tests(unittest.TestCase):
            @classmethod
            def setUpClass(cls): cls.started = getattr(cls, "started", 0) + 1
            def setUp(self): self.mine = []
            def test_clean(self): self.mine.append(1)
            def test_leak(self): kept.append(self.mine)
            def test_class_is_set_up_once(self): self.assertEqual(self.started, 1)
    """, "--heapwhy")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["*test_leak: the test leaks*", "1 leak, 2 do not*"])


def test_without_the_option_and_the_marker_nothing_changes(suite):
    result = suite("""
        runs = []
        def test_it(): runs.append(1)
        def test_once(): assert len(runs) == 1
    """)
    result.assert_outcomes(passed=2)
    assert "heapwhy" not in result.stdout.str().replace("plugins:", "")


# ---- with plugins of others ----

# Not that of tests/env, which is no interpreter that a virtual environment could be made of.
INSTALLED = [python for python in package_pythons() if not python.startswith(TESTS)]


@pytest.fixture(params=INSTALLED[-1:] + INSTALLED[:1], ids=lambda python: os.path.basename(str(python)), scope="module")
def python_of_others(request):
    """An interpreter with the newest pytest that it can have, and what runs coroutines and workers."""
    return peers.environment("pytest", request.param, ["pytest", "pytest-asyncio", "anyio", "pytest-xdist"])


def run_elsewhere(python, place, code, *options):
    (place / "test_it.py").write_text(textwrap.dedent(code), encoding="utf-8")
    done = subprocess.run([python, "-m", "pytest", *PLUGIN, *options, "test_it.py"], cwd=place, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600,
                          env={**clean_environment(), "PYTHONPATH": package_site(), "PYTHONDONTWRITEBYTECODE": "1"})
    return done.stdout


def test_coroutines_of_asyncio(python_of_others, tmp_path):
    told = run_elsewhere(python_of_others, tmp_path, """
        import asyncio, pytest
        kept = []
        @pytest.mark.asyncio
        async def test_clean(): await asyncio.sleep(0)
        @pytest.mark.asyncio
        async def test_leak():
            await asyncio.sleep(0)
            kept.append(object())
    """, "--heapwhy")
    assert "test_leak: the test leaks" in told and "1 leak, 1 do not" in told


def test_coroutines_of_anyio(python_of_others, tmp_path):
    told = run_elsewhere(python_of_others, tmp_path, """
        import anyio, pytest
        kept = []
        @pytest.fixture
        def anyio_backend(): return "asyncio"
        @pytest.mark.anyio
        async def test_clean(): await anyio.sleep(0)
        @pytest.mark.anyio
        async def test_leak():
            await anyio.sleep(0)
            kept.append(object())
    """, "--heapwhy")
    assert "test_leak: the test leaks" in told and "1 leak, 1 do not" in told


def test_workers_of_xdist(python_of_others, tmp_path):
    told = run_elsewhere(python_of_others, tmp_path, """
        import pytest
        kept = []
        @pytest.mark.parametrize("n", range(3))
        def test_leak(n): kept.append(object())
        def test_clean(): pass
    """, "--heapwhy", "-n", "2")
    assert "the test leaks" in told and "3 leak, 1 do not" in told
