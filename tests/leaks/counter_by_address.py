# SPDX-License-Identifier: Apache-2.0
"""A counter of requests by address, for a report that is written from it and never clears it."""
import collections

import backdrop


class Report:
    def __init__(self):
        self.by_address = collections.Counter()

    def count(self, address):
        self.by_address[address] += 1000


report = Report()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        report.count("10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255))


if __name__ == "__main__":
    main()
