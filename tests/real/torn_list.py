# SPDX-License-Identifier: Apache-2.0
"""Stays where a thread is for one instruction: the newest object is on no list for certain yet.

_PyObject_GC_TRACK and _PyObject_GC_UNTRACK set one link after the other. usage: torn_list.py LINKS, the
number of the newest object's own links that are not set.
"""
import ctypes
import gc
import os
import sys
import time

GC_HEAD_BYTES = 16
CYCLES = 300


class Cycle:
    def __init__(self):
        self.me = self


def main():
    gc.disable()
    gc.set_threshold(321, 7, 8)
    for _ in range(CYCLES):
        Cycle()
    both = int(sys.argv[1]) == 2
    newest = []
    where = id(newest)
    link, back = (ctypes.c_uint64.from_address(where - GC_HEAD_BYTES + 8 * i) for i in range(2))
    write, sleep = os.write, time.sleep
    del newest
    newest = []  # where the other was: lists come from a free list
    assert id(newest) == where
    # From here nothing may make a container, or the list would be mended.
    link.value = 0
    if both:
        back.value = 0
    write(1, b"READY\n")
    sleep(100000)


if __name__ == "__main__":
    main()
