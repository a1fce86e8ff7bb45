# SPDX-License-Identifier: Apache-2.0
"""The callback of each weak reference captures the very buffer that should die with its owner."""
import weakref

import backdrop


class Frame:
    def __init__(self, number):
        self.number = number
        self.pixels = bytearray(500)


class Pool:
    def __init__(self):
        self.references = {}
        self.returned = 0

    def lend(self, number):
        frame = Frame(number)
        pixels = frame.pixels

        def give_back(_):
            self.returned += len(pixels)

        self.references[number] = weakref.ref(frame, give_back)


pool = Pool()


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        pool.lend(number)


if __name__ == "__main__":
    main()
