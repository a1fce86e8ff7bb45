# SPDX-License-Identifier: Apache-2.0
"""itertools.tee: one reader follows the feed, the other one was made for a check and forgotten."""
import itertools

import backdrop


class Quote:
    def __init__(self, number):
        self.number = number
        self.price = number * 1.5


def quotes():
    number = 0
    while True:
        number += 1
        yield Quote(number)


class Feed:
    def __init__(self):
        self.main, self.check = itertools.tee(quotes())


feed = Feed()


def main():
    backdrop.noise()
    for number in backdrop.pace(400):
        next(feed.main)


if __name__ == "__main__":
    main()
