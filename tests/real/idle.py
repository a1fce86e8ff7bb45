# SPDX-License-Identifier: Apache-2.0
"""Does nothing at all, in one of several ways, for ever. Tools that wait for Python code to run hang."""
import os
import select
import signal
import socket
import sys
import threading
import time


class Idler:
    def __init__(self):
        self.note = "idle"


def block_in_accept():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    announce()
    server.accept()


def block_in_read():
    read, write = os.pipe()
    announce()
    os.read(read, 1)
    return write


def block_in_lock():
    lock = threading.Lock()
    lock.acquire()
    announce()
    lock.acquire()


def block_in_poll():
    poll = select.epoll()
    announce()
    poll.poll()


def block_in_sleep():
    announce()
    time.sleep(1000000)


def block_in_pause():
    announce()
    signal.pause()


def announce():
    print("READY", flush=True)


if __name__ == "__main__":
    idlers = [Idler() for _ in range(17)]
    globals()["block_in_" + sys.argv[1]]()
