# SPDX-License-Identifier: Apache-2.0
"""A handler keeps the last log records 'for the debug page'; exc_info keeps the frames."""
import logging

import backdrop


class Payload:
    def __init__(self, number):
        self.number = number
        self.rows = ["row-%d-%d" % (number, n) for n in range(5)]


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


def decode(payload):
    raise ValueError("payload %d" % payload.number)


def receive(number):
    payload = Payload(number)
    try:
        decode(payload)
    except ValueError:
        log.exception("cannot decode")


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        receive(number)


if __name__ == "__main__":
    main()
