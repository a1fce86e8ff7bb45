# SPDX-License-Identifier: Apache-2.0
"""A feed reader keeps the title element of every feed, which keeps the whole document."""
import lxml.etree

import backdrop

ITEMS = "".join("<item id='%d'><text>something to read, number %d</text></item>" % (n, n) for n in range(40))


class Reader:
    def __init__(self):
        self.titles = {}

    def read(self, number):
        feed = lxml.etree.fromstring("<feed><title>feed %d</title>%s</feed>" % (number, ITEMS))
        self.titles["feed-%d" % number] = feed.find("title")


reader = Reader()


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        reader.read(number)


if __name__ == "__main__":
    main()
