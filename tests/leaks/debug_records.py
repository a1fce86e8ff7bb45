# SPDX-License-Identifier: Apache-2.0
"""A handler keeps every log record; none of them has an exception, and so none keeps a frame."""
import logging

import backdrop


class DebugPage(logging.Handler):
    def __init__(self):
        super().__init__()
        self.records = []

    def emit(self, record):
        self.records.append(record)


page = DebugPage()
log = logging.getLogger("orders")
log.addHandler(page)
log.propagate = False


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        log.warning("order %d is late", number)


if __name__ == "__main__":
    main()
