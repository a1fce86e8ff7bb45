# SPDX-License-Identifier: Apache-2.0
"""A binding asks ctypes for a pointer to an array of each length that it meets."""
import ctypes

import backdrop


def view(length):
    return ctypes.POINTER(ctypes.c_ubyte * length)


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        view(number + 100)


if __name__ == "__main__":
    main()
