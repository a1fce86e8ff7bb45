# SPDX-License-Identifier: Apache-2.0
"""A paging API keeps half-read generators for clients that never come back."""
import backdrop


class Row:
    def __init__(self, number):
        self.number = number
        self.text = "row %d" % number


def read_rows(start):
    window = [Row(start + n) for n in range(5)]
    for row in window:
        yield row.text


class Cursors:
    def __init__(self):
        self.open = []

    def start(self, position):
        cursor = read_rows(position)
        first = next(cursor)
        self.open.append(cursor)
        return first


cursors = Cursors()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        cursors.start(number * 5)


if __name__ == "__main__":
    main()
