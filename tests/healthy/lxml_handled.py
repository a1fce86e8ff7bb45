# SPDX-License-Identifier: Apache-2.0
"""Documents are parsed, looked at and dropped; of the latest few an element is kept."""
import lxml.etree

import backdrop

ITEMS = "".join("<item id='%d'><text>number %d</text></item>" % (n, n) for n in range(40))
latest = [None] * 10


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        feed = lxml.etree.fromstring("<feed><title>feed %d</title>%s</feed>" % (number, ITEMS))
        latest[number % 10] = feed.find("title")


if __name__ == "__main__":
    main()
