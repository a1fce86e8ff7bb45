# SPDX-License-Identifier: Apache-2.0
"""Logs a lot; a handler keeps the last lines, another writes to nowhere."""
import collections
import logging
import time


class Ring(logging.Handler):
    lines = collections.deque(maxlen=20_000)

    def emit(self, record):
        self.lines.append(self.format(record))


log = logging.getLogger()
log.setLevel(logging.INFO)
log.addHandler(Ring())
log.addHandler(logging.StreamHandler(open("/dev/null", "w")))
number = 0
while True:
    for _ in range(100):
        number += 1
        log.info("request %d took %s", number, "x" * (number % 700))
    time.sleep(0.1)
