# SPDX-License-Identifier: Apache-2.0
"""A metrics buffer that fills for 1.5 seconds and is then flushed."""
import time

import backdrop


class Point:
    def __init__(self, name, value):
        self.name = name
        self.value = value


class Buffer:
    def __init__(self):
        self.points = []
        self.flushed = time.monotonic()

    def add(self, point):
        self.points.append(point)
        if time.monotonic() - self.flushed > 1.5:
            self.points.clear()
            self.flushed = time.monotonic()


buffer = Buffer()


def main():
    backdrop.noise()
    for number in backdrop.pace(300):
        buffer.add(Point("cpu-%d" % number, number * 0.5))


if __name__ == "__main__":
    main()
