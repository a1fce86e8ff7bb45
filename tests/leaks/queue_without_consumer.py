# SPDX-License-Identifier: Apache-2.0
"""Metrics are put on a queue whose consumer thread ended at its first bad value."""
import queue
import threading

import backdrop


class Sample:
    def __init__(self, name, value):
        self.name = name
        self.value = value


samples = queue.Queue()


def consume():
    while True:
        sample = samples.get()
        if sample.value < 0:
            return


def main():
    backdrop.noise()
    threading.Thread(target=consume, daemon=True).start()
    samples.put(Sample("start", -1))
    for number in backdrop.pace(120):
        samples.put(Sample("load", number + 1000))


if __name__ == "__main__":
    main()
