# SPDX-License-Identifier: Apache-2.0
"""A crawl loop keeps the pages it has seen in a set that is a local of main()."""
import backdrop


class Page:
    def __init__(self, number):
        self.address = "https://example.org/%d" % number


def main():
    backdrop.noise()
    visited = set()
    for number in backdrop.pace(120):
        visited.add(Page(number))


if __name__ == "__main__":
    main()
