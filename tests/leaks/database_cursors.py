# SPDX-License-Identifier: Apache-2.0
"""A statistics page opens a cursor for each query and keeps it, open, in a list."""
import sqlite3

import backdrop


class Statistics:
    def __init__(self):
        self.connection = sqlite3.connect(":memory:")
        self.cursors = []

    def count(self, number):
        cursor = self.connection.cursor()
        cursor.execute("select ?", (number,))
        self.cursors.append(cursor)


statistics = Statistics()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        statistics.count(number)


if __name__ == "__main__":
    main()
