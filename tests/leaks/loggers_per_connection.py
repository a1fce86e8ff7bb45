# SPDX-License-Identifier: Apache-2.0
"""A logger named after each connection: the logging module never forgets a logger."""
import logging

import backdrop


class Peer:
    def __init__(self, number):
        self.number = number
        self.log = logging.getLogger("p2p-peer-%d" % number)
        self.log.debug("connected")

    def close(self):
        self.log.debug("closed")


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        Peer(number).close()


if __name__ == "__main__":
    main()
