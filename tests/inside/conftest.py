# SPDX-License-Identifier: Apache-2.0
"""Tests of the Python package, imported from beside the program that is under test."""
import os
import sys
import tracemalloc

import pytest

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from support import package_site  # noqa: E402

sys.path.insert(0, package_site())


@pytest.fixture(autouse=True)
def tracemalloc_as_before():
    """A line profiler by tracemalloc leaves it running, as the program that it measures is not over."""
    was_tracing = tracemalloc.is_tracing()
    yield
    if tracemalloc.is_tracing() and not was_tracing:
        tracemalloc.stop()
