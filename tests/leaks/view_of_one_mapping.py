# SPDX-License-Identifier: Apache-2.0
"""An index into one large mapping grows. Its views pin nothing that is not wanted anyway: what grows is
the index."""
import mmap

import backdrop

LINE = 64


class Index:
    def __init__(self, mapping):
        self.mapping = mapping
        self.lines = []

    def add(self, number):
        start = number * LINE % (len(self.mapping) - LINE)
        self.lines.append(memoryview(self.mapping)[start : start + LINE])


index = Index(mmap.mmap(-1, 8 << 20))


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        index.add(number)


if __name__ == "__main__":
    main()
