# SPDX-License-Identifier: Apache-2.0
"""weakref.finalize with a bound method of the object itself: the object can never die."""
import weakref

import backdrop


class Reader:
    def __init__(self, number):
        self.number = number
        self.block = bytes(200)
        self.finalizer = weakref.finalize(self, self.release)
        self.finalizer.atexit = False

    def release(self):
        self.block = None


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        Reader(number)


if __name__ == "__main__":
    main()
