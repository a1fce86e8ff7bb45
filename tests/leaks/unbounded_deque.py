# SPDX-License-Identifier: Apache-2.0
"""A telemetry buffer made with deque() where deque(maxlen=...) was meant."""
import collections

import backdrop


class Sample:
    __slots__ = ("name", "value", "labels")

    def __init__(self, name, value):
        self.name = name
        self.value = value
        self.labels = {"host": "web-1", "zone": "b"}


class Telemetry:
    def __init__(self):
        self.recent = collections.deque(maxlen=200)
        self.samples = collections.deque()

    def record(self, name, value):
        sample = Sample(name, value)
        self.samples.append(sample)
        self.recent.append(value)


telemetry = Telemetry()


def main():
    backdrop.noise()
    for number in backdrop.pace(250):
        telemetry.record("latency", number * 0.25)


if __name__ == "__main__":
    main()
