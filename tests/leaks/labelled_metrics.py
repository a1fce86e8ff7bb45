# SPDX-License-Identifier: Apache-2.0
"""A request counter with the session as a label: one child for each session."""
import backdrop


class Child:
    __slots__ = ("value",)

    def __init__(self):
        self.value = 0.0

    def inc(self):
        self.value += 1.5


class RequestCounter:
    def __init__(self, name, *label_names):
        self.name = name
        self.label_names = label_names
        self._children = {}

    def labels(self, *values):
        if values not in self._children:
            self._children[values] = Child()
        return self._children[values]


requests = RequestCounter("requests", "method", "session", "status")


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        requests.labels("GET" if number % 3 else "PUT", "s-%d" % number, "200").inc()


if __name__ == "__main__":
    main()
