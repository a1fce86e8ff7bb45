# SPDX-License-Identifier: Apache-2.0
"""objgraph's own tests, and the examples in its documentation, run against heapwhy.compat.objgraph.

suite_objgraph.py FOLDER, where objgraph's tests.py is: a line of JSON for each test, [name, result, text].
"""
import json
import os
import runpy
import sys
import unittest

import heapwhy.compat.objgraph


class Lines(unittest.TextTestResult):
    def tell(self, test, result, text=""):
        print(json.dumps([test.id().replace("__main__.", ""), result, text]), file=sys.__stdout__)

    def addSuccess(self, test):
        self.tell(test, "passed")

    def addSkip(self, test, reason):
        self.tell(test, "skipped", reason)

    def addFailure(self, test, error):
        self.tell(test, "failed", self._exc_info_to_string(error, test))

    addError = addFailure


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    sys.path[0] = os.getcwd()
    sys.modules["objgraph"] = heapwhy.compat.objgraph
    unittest.TextTestRunner.resultclass = Lines
    sys.argv = ["tests.py"]
    runpy.run_path("tests.py", run_name="__main__")
