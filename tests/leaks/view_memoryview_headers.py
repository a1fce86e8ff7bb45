# SPDX-License-Identifier: Apache-2.0
"""A protocol parser keeps the header of every packet as a memoryview, which keeps the packet."""
import backdrop


class Parser:
    def __init__(self):
        self.seen = {}

    def feed(self, number, packet):
        view = memoryview(packet)
        self.seen[number] = view[:16]
        return len(view[16:])


parser = Parser()


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        parser.feed(number, b"%016d" % number + bytes(8000))


if __name__ == "__main__":
    main()
