# SPDX-License-Identifier: Apache-2.0
"""A memo dict beside a function; the key has a serial number in it."""
import backdrop


_price_cache = {}


class Price:
    __slots__ = ("amount", "currency")

    def __init__(self, amount):
        self.amount = amount * 1.19
        self.currency = "EUR"


def price_of(article, serial):
    key = article, serial
    if key not in _price_cache:
        _price_cache[key] = Price(serial + 300)
    return _price_cache[key]


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        price_of("article-%d" % (number % 40), number + 1000)


if __name__ == "__main__":
    main()
