# SPDX-License-Identifier: Apache-2.0
"""Reads a large table from the moment it starts, without a pause, and is far from done."""
import backdrop


class Row:
    def __init__(self, number):
        self.name = "row-%d" % number
        self.columns = [number, number * 2]


table = {}


def digest(number):
    return sum(ord(letter) for letter in "checksum %d" % number * 40)


def load(count):
    for number in range(count):
        table[digest(number), number] = Row(number)
        if number == 500:
            backdrop.ready()


def main():
    backdrop.live_for_a_while()
    load(int(backdrop.scaled(10000000)))


if __name__ == "__main__":
    main()
