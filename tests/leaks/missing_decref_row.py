# SPDX-License-Identifier: Apache-2.0
"""A C cursor forgets to release the rows that it returns: tuples of a number and a float."""
import ctypes
import gc

import backdrop


def fetch(number):
    row = (number + 100000, number * 0.25)
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(row))
    return len(row)


def main():
    backdrop.noise()
    gc.freeze()
    for number in backdrop.pace(80):
        fetch(number)


if __name__ == "__main__":
    main()
