# SPDX-License-Identifier: Apache-2.0
"""A server keeps the accepted socket of each client that has hung up."""
import resource
import socket

import backdrop


def allow_many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Server:
    def __init__(self):
        self.clients = []
        self.served = 0

    def accept(self, connection):
        self.clients.append(connection)
        connection.sendall(b"hello\n")
        self.served += 1


server = Server()


def main():
    allow_many_descriptors()
    backdrop.noise()
    for _ in backdrop.pace(30):
        ours, theirs = socket.socketpair()
        server.accept(ours)
        theirs.recv(16)
        theirs.close()


if __name__ == "__main__":
    main()
