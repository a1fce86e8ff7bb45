# SPDX-License-Identifier: Apache-2.0
"""Full collections never come, but all cycles die young, and young collections take them back."""
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
    gc.set_threshold(700, 10, 100000000)
    backdrop.noise()
    for number in backdrop.pace(60):
        Order(number)


if __name__ == "__main__":
    main()
