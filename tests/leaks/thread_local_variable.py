# SPDX-License-Identifier: Apache-2.0
"""A worker thread keeps each order it has handled in a local of its function."""
import queue
import threading

import backdrop


class Order:
    def __init__(self, number):
        self.number = number
        self.items = {"sku-%d" % (number % 50): 1}
        self.done = False


def drain_orders(inbox):
    handled = []
    while True:
        order = inbox.get()
        order.done = True
        handled.append(order)


def main():
    backdrop.noise()
    inbox = queue.Queue(maxsize=100)
    worker = threading.Thread(target=drain_orders, args=(inbox,), name="order-worker", daemon=True)
    worker.start()
    for number in backdrop.pace(150):
        inbox.put(Order(number))


if __name__ == "__main__":
    main()
