# SPDX-License-Identifier: Apache-2.0
"""A warning whose text has the order number in it: each text is remembered."""
import os
import sys
import warnings

import backdrop


def check(number):
    warnings.warn("order %d has no address" % number)


def main():
    sys.stderr = open(os.devnull, "w")
    backdrop.noise()
    for number in backdrop.pace(120):
        check(number + 1000)


if __name__ == "__main__":
    main()
