# SPDX-License-Identifier: Apache-2.0
"""A registry of counters by method, route and status: nearly all of the 240 combinations are known."""
import random

import backdrop

METHODS = ["GET", "POST", "PUT", "DELETE"]
ROUTES = ["/route/%d" % n for n in range(12)]
STATUSES = [200, 201, 301, 404, 500]


class Counter:
    def __init__(self, labels):
        self.labels = labels
        self.value = 0.0


class Registry:
    def __init__(self):
        self.counters = {}

    def count(self, *labels):
        counter = self.counters.get(labels)
        if counter is None:
            counter = self.counters[labels] = Counter(labels)
        counter.value += 1.0


registry = Registry()


def observe(luck):
    registry.count(luck.choice(METHODS), luck.choice(ROUTES), luck.choice(STATUSES))


def main():
    luck = random.Random(3)
    for _ in range(600):
        observe(luck)
    backdrop.noise()
    for _ in backdrop.pace(100):
        observe(luck)


if __name__ == "__main__":
    main()
