# SPDX-License-Identifier: Apache-2.0
"""A rule engine writes the source of a function for each rule and executes it."""
import backdrop


class Rules:
    def __init__(self):
        self.checks = {}

    def add(self, number):
        space = {}
        exec("def check(order):\n    return order.total > %d\n" % (number * 1000), space)
        self.checks["rule-%d" % number] = space["check"]


rules = Rules()


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        rules.add(number)


if __name__ == "__main__":
    main()
