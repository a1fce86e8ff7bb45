# SPDX-License-Identifier: Apache-2.0
"""Allocates known amounts at known lines, for test_allocations.py. With "die" it is killed before it ends."""
import os
import signal
import sys
import threading

BLOCK = 5000  # more than pymalloc takes, so one block each beside the object


def keep(count):
    return [bytearray(BLOCK) for _ in range(count)]  # kept


def churn(count):
    for _ in range(count):
        bytearray(BLOCK)  # churn


def work():
    high = keep(2000)
    del high
    churn(20000)
    return keep(500)


kept = []
worker = threading.Thread(target=lambda: kept.extend(work()))
worker.start()
worker.join()
if "die" in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
