# SPDX-License-Identifier: Apache-2.0
"""A worker maps scratch memory for each job and forgets to close it: small objects, large mappings."""
import mmap

import backdrop

SCRATCH = 1 << 16


class Worker:
    def __init__(self):
        self.scratch = []

    def run(self, number):
        memory = mmap.mmap(-1, SCRATCH)
        memory.write(b"job %d" % number)
        self.scratch.append(memory)


worker = Worker()


def main():
    backdrop.noise()
    for number in backdrop.pace(20):
        worker.run(number)


if __name__ == "__main__":
    main()
