# SPDX-License-Identifier: Apache-2.0
"""Three threads make cycles, and the collector runs again and again; prints READY."""
import gc
import threading
import time


class Node:
    def __init__(self):
        self.me = self
        self.parts = [[] for _ in range(20)]


def work():
    while True:
        Node()


def main():
    gc.set_threshold(10)
    for _ in range(3):
        threading.Thread(target=work, daemon=True).start()
    print("READY", flush=True)
    time.sleep(100000)


if __name__ == "__main__":
    main()
