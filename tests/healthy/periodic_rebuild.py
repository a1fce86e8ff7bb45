# SPDX-License-Identifier: Apache-2.0
"""A lookup table is built anew twice a second and replaces the old one."""
import backdrop


class Rule:
    def __init__(self, number, version):
        self.number = number
        self.version = version


class Rules:
    def __init__(self):
        self.table = {}

    def rebuild(self, version):
        self.table = {number: Rule(number, version) for number in range(800)}


rules = Rules()


def main():
    backdrop.noise()
    for number in backdrop.pace(20):
        if number % 10 == 0:
            rules.rebuild(number)


if __name__ == "__main__":
    main()
