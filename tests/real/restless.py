# SPDX-License-Identifier: Apache-2.0
"""Threads come and go, and the collector's first list is empty one moment and not the next."""
import gc
import threading


def churn():
    for _ in range(300):
        item = []
        del item


if __name__ == "__main__":
    gc.freeze()
    print("READY", flush=True)
    while True:
        gc.collect(0)
        thread = threading.Thread(target=churn)
        thread.start()
        churn()
        thread.join()
