# SPDX-License-Identifier: Apache-2.0
"""A batch job groups its rows by customer in a defaultdict that is a local of main()."""
import collections

import backdrop


class Row:
    def __init__(self, number):
        self.number = number


def main():
    backdrop.noise()
    by_customer = collections.defaultdict(list)
    for number in backdrop.pace(120):
        by_customer["customer-%d" % number].append(Row(number))


if __name__ == "__main__":
    main()
