# SPDX-License-Identifier: Apache-2.0
"""A profiler notes the caller's frame of each slow query; a frame keeps all of its locals."""
import sys

import backdrop


class Query:
    def __init__(self, number):
        self.sql = "select * from t where id = %d" % number
        self.rows = [number, number + 1]


class Profiler:
    def __init__(self):
        self.slow = []

    def note(self):
        self.slow.append(sys._getframe(1))


profiler = Profiler()


def run(number):
    query = Query(number)
    profiler.note()
    return query.rows


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        run(number)


if __name__ == "__main__":
    main()
