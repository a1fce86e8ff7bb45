# SPDX-License-Identifier: Apache-2.0
"""Runs another tool's own tests against heapwhy's version of it: peer_suite.py PACKAGE TESTS MODULE...

PACKAGE is the name below heapwhy.compat, which the tests get when they import the tool. TESTS is the folder
that test modules are imported from. Prints JSON: {"passed": [ids], "failed": {id: last line of why}}.
"""
import importlib
import io
import json
import os
import pkgutil
import sys
import unittest


def stand_in(name):
    """Makes `import name` give heapwhy's package of that name, with all its modules."""
    package = importlib.import_module("heapwhy.compat." + name)
    sys.modules[name] = package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), package.__name__ + "."):
        sys.modules[found.name[len("heapwhy.compat."):]] = importlib.import_module(found.name)


class Names(unittest.TextTestResult):
    """Keeps the ids of tests that passed."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = []

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed.append(test.id())


def main():
    name, folder, modules = sys.argv[1], sys.argv[2], sys.argv[3:]
    stand_in(name)
    os.chdir(folder)
    sys.path.insert(0, folder)
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = unittest.TextTestRunner(stream=io.StringIO(), resultclass=Names).run(suite)
    failed = {test.id(): text.strip().splitlines()[-1] for test, text in result.failures + result.errors}
    json.dump({"passed": result.passed, "failed": failed}, sys.__stdout__)


if __name__ == "__main__":
    main()
