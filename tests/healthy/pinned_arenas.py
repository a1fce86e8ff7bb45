# SPDX-License-Identifier: Apache-2.0
"""Constant live data, growing RSS: each round reads more samples than the one before and keeps as many
as ever, taken from all over the batch."""
import backdrop

KEPT = 600
MORE_EACH_ROUND = 1200
NAMES = tuple("channel_%d" % n for n in range(58))


class Sample:
    """Wide, and all in one block."""
    __slots__ = NAMES

    def __init__(self, value):
        self.channel_0 = value


class Monitor:
    def __init__(self):
        self.kept = []

    def round(self, number):
        count = KEPT + (number + 1) * MORE_EACH_ROUND
        batch = [Sample(1.5) for _ in range(count)]
        self.kept = batch[::count // KEPT][:KEPT]


monitor = Monitor()


def main():
    backdrop.noise()
    for number in backdrop.pace(2):
        monitor.round(number)


if __name__ == "__main__":
    main()
