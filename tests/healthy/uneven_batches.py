# SPDX-License-Identifier: Apache-2.0
"""Rows come at an uneven pace and are written out by the five hundred: a batch may be met at any length."""
import random

import backdrop


class Row:
    def __init__(self, number):
        self.number = number
        self.tags = [str(number), float(number)]


class Writer:
    def __init__(self):
        self.batch = []

    def add(self, row):
        self.batch.append(row)
        if len(self.batch) >= 500:
            self.batch.clear()


writer = Writer()


def main():
    backdrop.noise()
    number = 0
    for _ in backdrop.pace(200):
        for _ in range(random.choice((1, 4))):
            number += 1
            writer.add(Row(number))


if __name__ == "__main__":
    main()
