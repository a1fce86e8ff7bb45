# SPDX-License-Identifier: Apache-2.0
"""A function keeps what it has seen in an attribute of its own, which nobody empties."""
import backdrop


class Quote:
    def __init__(self, symbol):
        self.symbol = symbol
        self.price = 1.5


def quote(symbol):
    if symbol not in quote.seen:
        quote.seen[symbol] = Quote(symbol)
    return quote.seen[symbol].price


quote.seen = {}


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        quote("SYM%d" % number)


if __name__ == "__main__":
    main()
