# SPDX-License-Identifier: Apache-2.0
"""A pool of forty connections, used by worker threads in turn; some are replaced now and then."""
import queue
import socket
import threading

import backdrop


class PooledConnection:
    def __init__(self, number):
        self.number = number
        self.ours, self.theirs = socket.socketpair()
        self.uses = 0

    def close(self):
        self.ours.close()
        self.theirs.close()


class Pool:
    def __init__(self, size):
        self.free = queue.Queue(maxsize=size)
        for number in range(size):
            self.free.put(PooledConnection(number))

    def use(self):
        connection = self.free.get()
        connection.ours.sendall(b"ping")
        connection.theirs.recv(4)
        connection.uses += 1
        if connection.uses >= 50:
            connection.close()
            connection = PooledConnection(connection.number)
        self.free.put(connection)


pool = Pool(40)


def work():
    for _ in backdrop.pace(60, announce=False):
        pool.use()


def main():
    backdrop.noise()
    for number in range(3):
        threading.Thread(target=work, name="db-worker-%d" % number, daemon=True).start()
    for _ in backdrop.pace(60):
        pool.use()


if __name__ == "__main__":
    main()
