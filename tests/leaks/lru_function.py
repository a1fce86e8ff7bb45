# SPDX-License-Identifier: Apache-2.0
"""An unbounded functools.lru_cache around a parser that sees a new text each time."""
import functools

import backdrop


class Filter:
    def __init__(self, text):
        self.text = text
        self.words = tuple(text.split())


@functools.lru_cache(maxsize=None)
def parse_filter(text):
    return Filter(text)


def search(number):
    rule = parse_filter("status = open and owner = u%d" % number)
    return len(rule.words)


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        search(number)


if __name__ == "__main__":
    main()
