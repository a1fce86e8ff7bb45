# SPDX-License-Identifier: Apache-2.0
"""Files become longer all the time; each round reads them into buffers and frees all but a few of these;
malloc keeps the memory between those."""
import time

import backdrop

KEPT = 300
WRITTEN_EACH_SECOND = 300
BUFFER_BYTES = 2200


class Reader:
    def __init__(self):
        self.headers = []
        self.started = time.monotonic()

    def round(self):
        count = 2 * KEPT + int((time.monotonic() - self.started) * WRITTEN_EACH_SECOND)
        batch = [bytes(BUFFER_BYTES) for _ in range(count)]
        self.headers = batch[::count // KEPT][:KEPT]


reader = Reader()


def main():
    backdrop.noise()
    for _ in backdrop.pace(2):
        reader.round()


if __name__ == "__main__":
    main()
