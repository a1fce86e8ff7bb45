# SPDX-License-Identifier: Apache-2.0
"""A generator that keeps itself in a list of its own, read once and dropped; gc off."""
import gc

import backdrop


def pages(number):
    readers = []
    yield readers
    yield number


def read_first(number):
    reader = pages(number)
    next(reader).append(reader)


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(60):
        read_first(number)


if __name__ == "__main__":
    main()
