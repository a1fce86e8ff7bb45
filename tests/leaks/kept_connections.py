# SPDX-License-Identifier: Apache-2.0
"""A database helper opens a connection per report and pools it without ever reusing one."""
import sqlite3

import backdrop


class Database:
    def __init__(self):
        self.spare = []
        self.queries = 0

    def report(self, number):
        connection = sqlite3.connect(":memory:")
        row = connection.execute("select ? * 2", (number,)).fetchone()
        self.spare.append(connection)
        self.queries += 1
        return row[0]


database = Database()


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        database.report(number)


if __name__ == "__main__":
    main()
