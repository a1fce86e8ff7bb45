# SPDX-License-Identifier: Apache-2.0
"""gc is off 'for latency'; orders and their lines point at each other and pile up."""
import gc

import backdrop


class OrderLine:
    def __init__(self, order, sku):
        self.order = order
        self.sku = sku


class Order:
    def __init__(self, number):
        self.number = number
        self.lines = [OrderLine(self, "sku-%d" % n) for n in range(3)]

    def total(self):
        return len(self.lines) * 10


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(60):
        Order(number).total()


if __name__ == "__main__":
    main()
