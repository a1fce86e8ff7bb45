# SPDX-License-Identifier: Apache-2.0
"""A worker puts what it could not deliver into a deque that is a local of main()."""
import collections

import backdrop


class Letter:
    def __init__(self, number):
        self.address = "street %d" % number


def main():
    backdrop.noise()
    backlog = collections.deque()
    for number in backdrop.pace(120):
        backlog.append(Letter(number))


if __name__ == "__main__":
    main()
