# SPDX-License-Identifier: Apache-2.0
"""A protocol reader appends all that it receives to a bytearray and parses from the front."""
import backdrop


class Reader:
    def __init__(self):
        self.received = bytearray()
        self.at = 0

    def feed(self, data):
        self.received += data
        self.at = len(self.received)


reader = Reader()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        reader.feed(b"%08d" % number * 128)


if __name__ == "__main__":
    main()
