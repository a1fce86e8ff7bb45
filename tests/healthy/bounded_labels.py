# SPDX-License-Identifier: Apache-2.0
"""A metrics registry whose labels have few values, all of which come in the first seconds."""
import backdrop


class Child:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 0.0


class RequestCounter:
    def __init__(self):
        self._children = {}

    def labels(self, *values):
        if values not in self._children:
            self._children[values] = Child()
        return self._children[values]


requests = RequestCounter()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        child = requests.labels("GET" if number % 3 else "PUT", str(200 + number % 7), "shop")
        child.value += 1.5


if __name__ == "__main__":
    main()
