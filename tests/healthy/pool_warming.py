# SPDX-License-Identifier: Apache-2.0
"""A connection pool opens one more whenever all are busy, up to its size; it is still warming up."""
import socket

import backdrop


class Connection:
    def __init__(self, number):
        self.number = number
        self.ours, self.theirs = socket.socketpair()


class Pool:
    def __init__(self, max_size):
        self.max_size = max_size
        self.connections = []
        self.next = 0

    def acquire(self):
        if len(self.connections) < self.max_size:
            self.connections.append(Connection(len(self.connections)))
            return self.connections[-1]
        self.next = (self.next + 1) % len(self.connections)
        return self.connections[self.next]


pool = Pool(200)


def main():
    backdrop.noise()
    for number in backdrop.pace(20):
        pool.acquire().ours.sendall(b"x")


if __name__ == "__main__":
    main()
