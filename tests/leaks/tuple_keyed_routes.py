# SPDX-License-Identifier: Apache-2.0
"""A table keyed by tuples that is no metric: open streams by peer and channel."""
import backdrop


class Stream:
    def __init__(self, peer, channel):
        self.peer = peer
        self.channel = channel


streams = {}


def open_stream(peer, channel):
    streams[peer, channel] = Stream(peer, channel)


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        open_stream("peer-%d" % number, "video" if number % 2 else "audio")


if __name__ == "__main__":
    main()
