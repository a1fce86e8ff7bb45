# SPDX-License-Identifier: Apache-2.0
"""Each request adds a handler to the same logger to capture its own log lines."""
import io
import logging

import backdrop

log = logging.getLogger("shop.request")
log.setLevel(logging.INFO)
log.propagate = False


def serve_request(number):
    capture = io.StringIO()
    handler = logging.StreamHandler(capture)
    log.addHandler(handler)
    if number % 100 == 0:
        log.info("request %d", number)
    return capture.getvalue()  # the handler stays


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        serve_request(number)


if __name__ == "__main__":
    main()
