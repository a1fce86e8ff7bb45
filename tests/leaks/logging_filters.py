# SPDX-License-Identifier: Apache-2.0
"""Each request adds a filter to one logger, and never removes it."""
import logging

import backdrop


class RequestFilter(logging.Filter):
    def __init__(self, number):
        super().__init__()
        self.number = number

    def filter(self, record):
        record.request = self.number
        return True


log = logging.getLogger("shop.orders")


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        log.addFilter(RequestFilter(number))
        log.debug("request")


if __name__ == "__main__":
    main()
