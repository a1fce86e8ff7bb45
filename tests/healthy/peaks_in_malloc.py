# SPDX-License-Identifier: Apache-2.0
"""Each round needs more buffers than the one before and frees all but a few; malloc keeps the memory
between those."""
import backdrop

KEPT = 300
MORE_EACH_ROUND = 300
BUFFER_BYTES = 2200


class Reader:
    def __init__(self):
        self.headers = []

    def round(self, number):
        count = KEPT + (number + 1) * MORE_EACH_ROUND
        batch = [bytes(BUFFER_BYTES) for _ in range(count)]
        self.headers = batch[::count // KEPT][:KEPT]


reader = Reader()


def main():
    backdrop.noise()
    for number in backdrop.pace(2):
        reader.round(number)


if __name__ == "__main__":
    main()
