# SPDX-License-Identifier: Apache-2.0
"""Eight worker threads; each works for half a second and is replaced, with its thread-local state."""
import threading
import time

import backdrop

local = threading.local()


class Workspace:
    def __init__(self, number):
        self.number = number
        self.scratch = ["line %d of %d" % (n, number) for n in range(20)]


class Worker(threading.Thread):
    def __init__(self, crew, number):
        super().__init__(name="worker-%d" % number, daemon=True)
        self.crew = crew
        self.number = number

    def run(self):
        local.workspace = Workspace(self.number)
        time.sleep(0.5)
        self.crew.remove(self)


def main():
    crew = []
    backdrop.noise()
    for number in backdrop.pace(30):
        if len(crew) < 8:
            worker = Worker(crew, number)
            crew.append(worker)
            worker.start()


if __name__ == "__main__":
    main()
