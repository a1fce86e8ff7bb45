# SPDX-License-Identifier: Apache-2.0
"""A list as a default argument is made once and then shared by all calls."""
import backdrop


class Warning_:
    def __init__(self, text):
        self.text = text
        self.shown = False


def check(number, found=[]):
    found.append(Warning_("row %d is empty" % number))
    return len(found)


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        check(number)


if __name__ == "__main__":
    main()
