# SPDX-License-Identifier: Apache-2.0
"""A handler for the admin page keeps each log record in a list."""
import logging

import backdrop


class PageHandler(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


log = logging.getLogger("shop")
log.setLevel(logging.INFO)
log.propagate = False
page = PageHandler()
log.addHandler(page)


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        log.info("order %d paid", number)


if __name__ == "__main__":
    main()
