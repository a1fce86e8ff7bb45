# SPDX-License-Identifier: Apache-2.0
"""A defaultdict of lists that is filled, not only looked into: an order book by customer."""
import collections

import backdrop


class Order:
    def __init__(self, number):
        self.number = number


class Book:
    def __init__(self):
        self.by_customer = collections.defaultdict(list)

    def add(self, number):
        self.by_customer["customer-%d" % number].append(Order(number))


book = Book()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        book.add(number)


if __name__ == "__main__":
    main()
