# SPDX-License-Identifier: Apache-2.0
"""Cycles are made all the time and the collector, which is on, takes them back."""
import gc

import backdrop


class Parent:
    def __init__(self, number):
        self.children = [Child(self, number + n) for n in range(4)]


class Child:
    def __init__(self, parent, number):
        self.parent = parent
        self.number = number


def main():
    gc.set_threshold(900, 5, 2)
    backdrop.noise()
    for number in backdrop.pace(150):
        Parent(number)


if __name__ == "__main__":
    main()
