# SPDX-License-Identifier: Apache-2.0
"""An error report keeps exception objects; their tracebacks keep frames and locals."""
import backdrop


class PaymentDeclined(Exception):
    pass


class Basket:
    def __init__(self, number):
        self.items = ["sku-%d-%d" % (number, n) for n in range(6)]


class Monitor:
    def __init__(self):
        self.errors = []

    def report(self, error):
        self.errors.append(error)


monitor = Monitor()


def charge(basket):
    raise PaymentDeclined("basket of %d" % len(basket.items))


def check_out(number):
    basket = Basket(number)
    try:
        charge(basket)
    except PaymentDeclined as error:
        monitor.report(error)


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        check_out(number)


if __name__ == "__main__":
    main()
