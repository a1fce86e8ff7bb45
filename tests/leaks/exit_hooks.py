# SPDX-License-Identifier: Apache-2.0
"""Each report registers a clean-up with atexit, which keeps it until the process ends."""
import atexit

import backdrop


class Report:
    def __init__(self, number):
        self.number = number
        self.pages = ["page %d of %d" % (n, number) for n in range(4)]


def discard(report):
    report.pages.clear()


def write_report(number):
    report = Report(number)
    atexit.register(discard, report)
    return len(report.pages)


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        write_report(number)


if __name__ == "__main__":
    main()
