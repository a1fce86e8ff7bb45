# SPDX-License-Identifier: Apache-2.0
"""An audit log is written into one StringIO that nobody reads or truncates."""
import io
import logging

import backdrop

buffer = io.StringIO()
log = logging.getLogger("audit")


def main():
    backdrop.noise()
    log.addHandler(logging.StreamHandler(buffer))
    log.setLevel(logging.INFO)
    log.propagate = False
    for number in backdrop.pace(80):
        log.info("request %d served %s", number, "x" * 2000)


if __name__ == "__main__":
    main()
