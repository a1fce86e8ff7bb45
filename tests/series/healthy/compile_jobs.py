# SPDX-License-Identifier: Apache-2.0
"""Compiles the standard library's sources over and over, a file at a time."""
import glob
import os
import time

files = sorted(glob.glob(os.path.join(os.path.dirname(os.__file__), "*.py")))
while True:
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as file:
            compile(file.read(), path, "exec")
        time.sleep(0.25)
