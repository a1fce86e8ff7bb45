# SPDX-License-Identifier: Apache-2.0
"""A cache of parsed documents without a bound: the documents are wanted as a whole, but not for ever."""
import lxml.etree

import backdrop

parsed = {}


def load(number):
    text = "<order><line>%d</line>%s</order>" % (number, "<part>a part of it</part>" * 30)
    parsed[number] = lxml.etree.fromstring(text)


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        load(number)


if __name__ == "__main__":
    main()
