# SPDX-License-Identifier: Apache-2.0
"""The pytest plugin: @pytest.mark.no_leaks, and --heapwhy for every test.

A test that is checked runs once as always; that run's result counts. If it passed, it runs again, fixtures of function
scope set up and torn down each time, those of wider scope standing, and what each repeat leaves behind is counted
(heapwhy.leakcheck). A leak takes the place of the result of the call.
"""
import contextlib
import functools
import gc
import warnings

import pytest
from _pytest.fixtures import FixtureDef
from _pytest.runner import CallInfo, runtestprotocol

from heapwhy.arguments import number_option

MARK = "no_leaks"
OPTIONS = ("objects", "bytes", "types", "repeats", "warmup")
USAGE = ("no_leaks(objects=0, bytes=0, types=None, repeats=5, warmup=3): the test runs again and again and fails when each "
         "repeat leaves behind more objects or bytes than that; types: count these alone, names or classes.")


def pytest_addoption(parser):
    group = parser.getgroup("heapwhy", "memory leaks")
    group.addoption("--heapwhy", action="store_true",
                    help="Check every test for leaks of memory and report them at the end.")
    group.addoption("--heapwhy-fail", action="store_true", help="The same, and a test that leaks fails.")
    group.addoption("--heapwhy-repeats", type=number_option(1), metavar="N", default=None,
                    help="How often a test must grow in a row before it is looked at closer (default: 5).")
    group.addoption("--heapwhy-warmup", type=number_option(0), metavar="N", default=None,
                    help="How often a test runs before anything is measured (default: 3).")


def pytest_configure(config):
    config.addinivalue_line("markers", USAGE)
    config.pluginmanager.register(_Findings(), "heapwhy-findings")


class _Check:
    """What is asked of one test."""

    def __init__(self, item):
        config, mark = item.config, item.get_closest_marker(MARK)
        self.is_wanted = mark is not None or config.option.heapwhy or config.option.heapwhy_fail
        self.fails = mark is not None or config.option.heapwhy_fail
        self.is_marked = mark is not None
        self.options = dict(mark.kwargs) if mark is not None else {}
        self.error = None
        unknown = sorted(set(self.options) - set(OPTIONS))
        if mark is not None and (unknown or mark.args):
            self.error = "%s takes the keywords %s" % (MARK, ", ".join(OPTIONS))
        for name, value in (("repeats", config.option.heapwhy_repeats), ("warmup", config.option.heapwhy_warmup)):
            if value is not None:
                self.options.setdefault(name, value)


@functools.lru_cache(maxsize=1)
def _fixtures(session):
    """All definitions of fixtures, made when tests were collected. How the session keeps them differs by version."""
    return [obj for obj in gc.get_objects() if isinstance(obj, FixtureDef)]


def _report_nothing(**unused):
    """In place of a hook that nobody is to hear."""
    return []


class _Unrepeatable(Exception):
    """A repeat did not pass."""


class _Repeater:
    """Runs an item again, and takes back what pytest itself keeps of a run."""

    def __init__(self, item):
        self.item = item
        self.lists = [kept for kept in (getattr(item, name, None) for name in
                                        ("_report_sections", "user_properties", "own_markers")) if isinstance(kept, list)]
        self.lengths = [len(kept) for kept in self.lists]
        self.fixtures = _fixtures(item.session)
        self.wider = (0, {})
        test = getattr(item, "dtest", None)  # of a doctest, whose globals are cleared after each run
        self.globals = dict(test.globs) if test is not None else None

    def take_back(self):
        for kept, length in zip(self.lists, self.lengths):
            del kept[length:]
        self._forget_finalizers()
        if self.globals is not None:
            self.item.dtest.globs.update(self.globals)

    def _wider_finalizers(self):
        """(how many fixtures stand, {id(list): (list, length)}) of what pytest calls when wider scopes end."""
        lists = [kept for kept in (getattr(one, "_finalizers", None) for one in self.fixtures) if isinstance(kept, list)]
        stack = getattr(self.item.session._setupstate, "stack", None)
        if isinstance(stack, dict):
            lists += [entry[0] for entry in stack.values()]
        standing = sum(getattr(one, "cached_result", None) is not None for one in self.fixtures)
        return standing, {id(kept): (kept, len(kept)) for kept in lists}

    def _forget_finalizers(self):
        """A test that uses a fixture of wider scope tells it once more, each time, to end; once is enough. Not when a
        repeat has set up another of these: then there is something new to end."""
        standing, now = self._wider_finalizers()
        if standing == self.wider[0]:
            for name, (kept, length) in self.wider[1].items():
                if name in now:
                    del kept[length:]
        else:
            self.wider = (standing, now)

    def first(self):
        """The run that counts. The parent stands for the next test: all of wider scope stays."""
        reports = runtestprotocol(self.item, log=False, nextitem=self.item.parent)
        self.wider = self._wider_finalizers()
        return reports

    @contextlib.contextmanager
    def _unreported(self):
        name, relays = "pytest_runtest_logreport", {id(relay): relay for relay in (self.item.config.hook, self.item.ihook)}
        callers = [(relay, getattr(relay, name)) for relay in relays.values()]
        for relay, _ in callers:
            setattr(relay, name, _report_nothing)
        try:
            yield
        finally:
            for relay, caller in callers:
                setattr(relay, name, caller)

    def again(self):
        self.take_back()
        # pytest gathers warnings as long as an item runs, and subtests report by themselves; these would pile up
        with warnings.catch_warnings(record=True), self._unreported():
            reports = runtestprotocol(self.item, log=False, nextitem=self.item.parent)
        for report in reports:
            if not report.passed:
                raise _Unrepeatable("%s: %s" % (report.when, _last_line(report)))


def _last_line(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash else report.longrepr or report.outcome)
    return text.strip().splitlines()[0][:200] if text.strip() else report.outcome


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    check = _Check(item)
    if not check.is_wanted or item.config.option.setuponly or item.config.option.setupshow:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _reports(item, nextitem, check):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _reports(item, nextitem, check):
    repeater = _Repeater(item)
    reports = repeater.first()
    finding = None
    if all(report.passed for report in reports) and len(reports) == 3:
        sections = [list(kept[length:]) for kept, length in zip(repeater.lists, repeater.lengths)]
        finding = _examine(item, repeater, check)
        repeater.take_back()
        for kept, more in zip(repeater.lists, sections):
            kept.extend(more)
    elif not any(report.failed for report in reports):
        finding = {"kind": "skipped", "text": "it did not pass"}
    if finding is not None and finding["kind"] != "clean" and _is_failure(finding, check):
        reports[1] = _failed_call(item, finding["text"], reports[1].duration)
    if finding is not None:
        reports[1].heapwhy = finding
    _tear_down_wider(item, nextitem, reports)
    return reports


def _is_failure(finding, check):
    return finding["kind"] == "wrong" or (finding["kind"] == "leak" and check.fails) or (
        finding["kind"] == "unrepeatable" and check.is_marked)


def _examine(item, repeater, check):
    """What came out, in values that a worker of xdist can send."""
    from heapwhy import UsageError
    from heapwhy.leakcheck import Asked, find_as_asked
    if check.error:
        return {"kind": "wrong", "text": check.error}
    try:
        asked = Asked(**check.options)
    except (TypeError, UsageError) as error:
        return {"kind": "wrong", "text": "%s: %s" % (MARK, error)}
    try:
        leak = find_as_asked(repeater.again, asked)
    except UsageError as error:  # a name of a type that there is not, which is known when the test has run
        return {"kind": "wrong", "text": "%s: %s" % (MARK, error)}
    except _Unrepeatable as error:
        return {"kind": "unrepeatable", "text": "the test passes once, but not when it is repeated, so it can't be checked "
                                                "for leaks: %s" % error}
    if leak is None:
        return {"kind": "clean", "text": ""}
    return {"kind": "leak", "text": "the test leaks: " + str(leak)}


def _failed_call(item, text, duration):
    def fail():
        pytest.fail(text, pytrace=False)

    call = CallInfo.from_call(fail, when="call")
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    report.duration = duration
    return report


def _tear_down_wider(item, nextitem, reports):
    """What the next test does not need: the last part of a teardown, whose failure is the teardown's."""
    capture = item.config.pluginmanager.getplugin("capturemanager")
    captured = capture.item_capture("teardown", item) if capture is not None else contextlib.nullcontext()
    with captured:
        call = CallInfo.from_call(lambda: item.session._setupstate.teardown_exact(nextitem), when="teardown",
                                  reraise=(pytest.exit.Exception, KeyboardInterrupt))
    if call.excinfo is not None:
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        if reports[-1].when == "teardown" and reports[-1].passed:
            reports[-1] = report
        else:
            reports.append(report)


class _Findings:
    """What is told at the end; under xdist by the process that collects the reports."""

    def __init__(self):
        self.by_kind = {}

    def pytest_runtest_logreport(self, report):
        finding = getattr(report, "heapwhy", None)
        if finding is not None:
            self.by_kind.setdefault(finding["kind"], []).append((report.nodeid, finding["text"]))

    def pytest_terminal_summary(self, terminalreporter, config):
        if not (config.option.heapwhy or config.option.heapwhy_fail) or hasattr(config, "workerinput"):
            return
        tell = terminalreporter
        tell.section("heapwhy: leaks")
        for node, text in self.by_kind.get("leak", []):
            tell.line("%s: %s" % (node, text))
            tell.line("")
        for node, text in self.by_kind.get("unrepeatable", []):
            tell.line("%s: not checked: %s" % (node, text))
        tell.line("%d leak, %d do not, %d could not be repeated, %d did not pass or were skipped" % tuple(
            len(self.by_kind.get(kind, [])) for kind in ("leak", "clean", "unrepeatable", "skipped")))
