# SPDX-License-Identifier: Apache-2.0
"""Thresholds keep full collections away 'for latency'; orders grow old before they are dropped in cycles."""
import collections
import gc

import backdrop


class OrderLine:
    def __init__(self, order, sku):
        self.order = order
        self.sku = sku


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [OrderLine(self, "sku-%d" % n) for n in range(6)]


def main():
    gc.set_threshold(10, 1, 100000000)
    backdrop.noise()
    recent = collections.deque(maxlen=5)
    for number in backdrop.pace(60):
        recent.append(Order(number))


if __name__ == "__main__":
    main()
