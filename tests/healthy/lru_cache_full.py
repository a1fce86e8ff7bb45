# SPDX-License-Identifier: Apache-2.0
"""functools.lru_cache(maxsize=500), full, with a miss on most calls."""
import functools

import backdrop


class Quote:
    def __init__(self, sku):
        self.sku = sku
        self.prices = [sku * 2, sku * 3]


@functools.lru_cache(maxsize=500)
def quote(sku):
    return Quote(sku)


def main():
    for sku in range(600):
        quote(sku)
    backdrop.noise()
    for number in backdrop.pace(200):
        quote(1000 + number)


if __name__ == "__main__":
    main()
