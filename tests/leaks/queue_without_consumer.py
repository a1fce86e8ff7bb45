# SPDX-License-Identifier: Apache-2.0
"""Metrics are put into a queue whose consumer ended with an error at the start."""
import queue
import threading

import backdrop


class Sample:
    def __init__(self, number):
        self.number = number
        self.value = number * 0.5


class Metrics:
    def __init__(self):
        self.inbox = queue.Queue()
        self.worker = threading.Thread(target=self.drain, daemon=True)

    def drain(self):
        self.inbox.get(timeout=5)
        self.socket = None


metrics = Metrics()


def main():
    backdrop.noise()
    metrics.worker.start()
    for number in backdrop.pace(120):
        metrics.inbox.put(Sample(number))


if __name__ == "__main__":
    main()
