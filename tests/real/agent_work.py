# SPDX-License-Identifier: Apache-2.0
"""Allocates known amounts at known lines, gives some back, and waits: agent_work.py [fork]"""
import os
import sys
import time

BLOCKS, HEAD = 20000, sys.getsizeof(b"")


def make_block():
    return bytes(1000 - HEAD)  # blocks of 1,000 bytes


def make_blocks():
    return [make_block() for _ in range(BLOCKS)]


class Größe:
    def grow(self):
        row = []
        for _ in range(200000):
            row.append(None)  # one block, which is moved as it grows
        return row


def make_and_forget():
    for _ in range(BLOCKS):
        bytes(2000)  # forgotten at once


def in_child():
    return [bytes(1000 - HEAD) for _ in range(BLOCKS)]  # the child's


kept = make_blocks()
rows = [Größe().grow() for _ in range(10)]
make_and_forget()
if "fork" in sys.argv and os.fork():
    os.wait()
    sys.exit()
more = in_child() if "fork" in sys.argv else None
print(os.getpid() if more else "", flush=True)
print("READY", flush=True)
time.sleep(600)
