# SPDX-License-Identifier: Apache-2.0
"""A rule engine compiles each incoming rule with exec and registers the function it made."""
import backdrop


class Engine:
    def __init__(self):
        self.rules = {}

    def add(self, number):
        space = {}
        source = "def rule(order, limit=%d):\n    return order > limit\n" % number
        exec(source, {"__name__": "rules"}, space)
        self.rules["rule-%d" % number] = space["rule"]


engine = Engine()


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        engine.add(number)


if __name__ == "__main__":
    main()
