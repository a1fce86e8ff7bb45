# SPDX-License-Identifier: Apache-2.0
"""A class of its own for each watcher, derived from Thread, that loops until it is told to stop."""
import threading

import backdrop


class Watcher(threading.Thread):
    def __init__(self, topic):
        super().__init__(daemon=True)
        self.topic = topic
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(3600):
            self.topic = self.topic.strip()


def subscribe(number):
    Watcher("topic-%d" % number).start()


def main():
    threading.stack_size(256 * 1024)
    backdrop.noise()
    for number in backdrop.pace(15):
        subscribe(number)


if __name__ == "__main__":
    main()
