# SPDX-License-Identifier: Apache-2.0
"""logging into a MemoryHandler-like ring of the last 400 records, from several threads."""
import collections
import logging
import threading

import backdrop


class RingHandler(logging.Handler):
    def __init__(self, size):
        super().__init__()
        self.records = collections.deque(maxlen=size)

    def emit(self, record):
        self.records.append(record)


ring = RingHandler(400)
log = logging.getLogger("ring")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(ring)


def chat(name):
    for number in backdrop.pace(60, announce=False):
        log.info("%s says %d", name, number)


def main():
    for number in range(500):
        log.info("start-up %d", number)
    backdrop.noise()
    for number in range(2):
        name = "chatter-%d" % number
        threading.Thread(target=chat, args=(name,), name=name, daemon=True).start()
    for number in backdrop.pace(60):
        log.info("main says %d", number)


if __name__ == "__main__":
    main()
