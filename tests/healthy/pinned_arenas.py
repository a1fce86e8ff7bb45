# SPDX-License-Identifier: Apache-2.0
"""Constant live data, growing RSS: a recording becomes longer all the time, and each round reads all of
it and keeps as many samples as ever, taken from all over it."""
import time

import backdrop

KEPT = 600
RECORDED_EACH_SECOND = 1200
NAMES = tuple("channel_%d" % n for n in range(58))


class Sample:
    """Wide, and all in one block."""
    __slots__ = NAMES

    def __init__(self, value):
        self.channel_0 = value


class Monitor:
    def __init__(self):
        self.kept = []
        self.started = time.monotonic()

    def round(self):
        count = 2 * KEPT + int((time.monotonic() - self.started) * RECORDED_EACH_SECOND)
        batch = [Sample(1.5) for _ in range(count)]
        self.kept = batch[::count // KEPT][:KEPT]


monitor = Monitor()


def main():
    backdrop.noise()
    for _ in backdrop.pace(2):
        monitor.round()


if __name__ == "__main__":
    main()
