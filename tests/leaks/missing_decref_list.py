# SPDX-License-Identifier: Apache-2.0
"""The same mistake for a container: a C parser forgets to release the lists that it returns."""
import ctypes

import backdrop


class Token:
    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


def tokenize(line):
    tokens = [Token(word) for word in line.split()]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(tokens))
    return tokens


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        tokenize("set key-%d to value" % number)


if __name__ == "__main__":
    main()
