# SPDX-License-Identifier: Apache-2.0
"""A proxy never unregisters the clients that hung up; the selector keeps socket and session."""
import resource
import selectors
import socket

import backdrop


def allow_many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Session:
    def __init__(self, number):
        self.number = number
        self.unread = []


class Proxy:
    def __init__(self):
        self.selector = selectors.DefaultSelector()

    def serve(self, number):
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self.selector.register(ours, selectors.EVENT_WRITE, Session(number))
        theirs.close()


proxy = Proxy()


def main():
    allow_many_descriptors()
    backdrop.noise()
    for number in backdrop.pace(30):
        proxy.serve(number)


if __name__ == "__main__":
    main()
