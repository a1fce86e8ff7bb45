# SPDX-License-Identifier: Apache-2.0
"""Files are closed as they should be, but the list of them is never emptied."""
import os

import backdrop


class Importer:
    def __init__(self):
        self.sources = []

    def load(self):
        stream = open(os.devnull)
        self.sources.append(stream)
        stream.read()
        stream.close()


importer = Importer()


def main():
    backdrop.noise()
    for _ in backdrop.pace(40):
        importer.load()


if __name__ == "__main__":
    main()
