# SPDX-License-Identifier: Apache-2.0
"""Tests of the Python package, imported from beside the program that is under test."""
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from support import package_site  # noqa: E402

sys.path.insert(0, package_site())
