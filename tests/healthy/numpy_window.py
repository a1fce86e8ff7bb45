# SPDX-License-Identifier: Apache-2.0
"""A window of the latest rows of frames: views that keep their frames, but only so many of them."""
import collections

import numpy

import backdrop


def first_row(number):
    return numpy.full((60, 160), number % 256, dtype=numpy.uint8)[0]


window = collections.deque(map(first_row, range(40)), maxlen=40)


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        window.append(first_row(number))


if __name__ == "__main__":
    main()
