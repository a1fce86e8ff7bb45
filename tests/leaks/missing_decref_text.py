# SPDX-License-Identifier: Apache-2.0
"""The same mistake for a text, which no collector knows and nothing refers to any more."""
import ctypes

import backdrop


def render(template, number):
    """The C code formats a line, logs it, and forgets its own reference to it."""
    line = template % number
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(line))
    return len(line)


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        render("GET /orders/%d HTTP/1.1", number)


if __name__ == "__main__":
    main()
