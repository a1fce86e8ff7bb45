# SPDX-License-Identifier: Apache-2.0
"""lru_cache(maxsize=None) on a method keeps every instance it was called on."""
import functools

import backdrop


class Invoice:
    def __init__(self, number):
        self.number = number
        self.lines = [(n, number * n) for n in range(4)]

    @functools.lru_cache(maxsize=None)
    def total(self, currency):
        return "%s %d" % (currency, sum(amount for _, amount in self.lines) + 100000)


def bill(number):
    invoice = Invoice(number)
    return invoice.total("EUR")


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        bill(number)


if __name__ == "__main__":
    main()
