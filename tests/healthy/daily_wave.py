# SPDX-License-Identifier: Apache-2.0
"""A day in three seconds: the number of visitors rises and falls, and all of them leave again."""
import collections
import math
import time

import backdrop

DAY_S = 3.0


class Visitor:
    def __init__(self, number):
        self.number = number
        self.name = "visitor-%d" % number
        self.pages = ["/"]


class Floor:
    def __init__(self):
        self.visitors = {}
        self.order = collections.deque()

    def enter(self, visitor):
        self.visitors[visitor.number] = visitor
        self.order.append(visitor.number)

    def leave(self):
        del self.visitors[self.order.popleft()]


floor = Floor()


def wanted():
    tide = math.sin(2 * math.pi * time.monotonic() / DAY_S)
    return int(backdrop.scaled(200) + backdrop.scaled(150) * tide)


def main():
    backdrop.noise()
    for number in backdrop.pace(300):
        floor.enter(Visitor(number))
        while len(floor.visitors) > wanted():
            floor.leave()


if __name__ == "__main__":
    main()
