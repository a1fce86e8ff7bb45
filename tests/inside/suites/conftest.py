# SPDX-License-Identifier: Apache-2.0
"""Writes what the plugin finds as JSON into $HEAPWHY_FINDINGS: {test: [kind, text, docstring]}."""
import json
import os

DOCSTRINGS, FINDINGS = {}, {}


def pytest_runtest_setup(item):
    DOCSTRINGS[item.nodeid] = getattr(getattr(item, "obj", None), "__doc__", None) or ""


def pytest_runtest_logreport(report):
    finding = getattr(report, "heapwhy", None)
    if finding:
        name = report.nodeid.rpartition("::")[2]
        FINDINGS[name] = [finding["kind"], finding["text"], DOCSTRINGS.get(report.nodeid, "")]


def pytest_unconfigure():
    if "HEAPWHY_FINDINGS" in os.environ:
        with open(os.environ["HEAPWHY_FINDINGS"], "w", encoding="utf-8") as file:
            json.dump(FINDINGS, file)
