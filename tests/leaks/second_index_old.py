# SPDX-License-Identifier: Apache-2.0
"""Orders are removed from the book by id, but the index by customer, who have many each, is forgotten."""
import backdrop

OLD = 4000
OPEN = 30
CUSTOMERS = 8


class Order:
    def __init__(self, ident, customer):
        self.ident = ident
        self.customer = customer
        self.state = "open"


class OrderBook:
    def __init__(self):
        self.by_id = {}
        self.by_customer = {}

    def submit(self, ident, customer):
        order = Order(ident, customer)
        self.by_id[ident] = order
        self.by_customer.setdefault(customer, []).append(order)

    def close(self, ident):
        order = self.by_id.pop(ident)
        order.state = "closed"


book = OrderBook()


def order(number):
    book.submit(number, "customer-%d" % (number % CUSTOMERS))
    if number >= OPEN:
        book.close(number - OPEN)


def main():
    for number in range(OLD):
        order(number)
    backdrop.noise()
    for number in backdrop.pace(150):
        order(OLD + number)


if __name__ == "__main__":
    main()
