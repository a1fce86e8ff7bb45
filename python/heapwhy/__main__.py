# SPDX-License-Identifier: Apache-2.0
"""`python -m heapwhy` and the command `heapwhy` of an installed package: the program in C beside this file."""
import os
import sys

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "heapwhy")


def main():
    try:
        os.execv(PROGRAM, ["heapwhy"] + sys.argv[1:])
    except OSError as error:
        sys.exit("heapwhy: can't run the program that belongs to this package: %s: %s; "
                 "install the package again: pip install --force-reinstall heapwhy" % (PROGRAM, error.strerror))


if __name__ == "__main__":
    main()
