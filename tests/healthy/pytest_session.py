# SPDX-License-Identifier: Apache-2.0
"""A long suite is run by pytest, which keeps the report of each test until the last one is through."""
import os
import sys

import pytest

import backdrop

EACH_SECOND = 12
TESTS = 2000
steps = backdrop.pace(EACH_SECOND, announce=False)


@pytest.mark.parametrize("number", range(TESTS))
def test_page(number):
    if next(steps) == int(backdrop.scaled(EACH_SECOND) * backdrop.WARM_UP_S):
        print("READY", file=sys.__stdout__, flush=True)


def main():
    backdrop.live_for_a_while()
    backdrop.noise()
    sys.stdout = open(os.devnull, "w")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    pytest.main(["-s", "-p", "no:cacheprovider", __file__])


if __name__ == "__main__":
    main()
