# SPDX-License-Identifier: Apache-2.0
"""A log filter compiles a pattern with the request id in it and keeps each."""
import re

import backdrop


class Filter:
    def __init__(self):
        self.patterns = {}

    def matches(self, ident, line):
        pattern = self.patterns.get(ident)
        if pattern is None:
            pattern = self.patterns[ident] = re.compile("id=%d( |$)" % ident)
        return pattern.search(line)


log_filter = Filter()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        log_filter.matches(number, "GET / id=%d" % number)


if __name__ == "__main__":
    main()
