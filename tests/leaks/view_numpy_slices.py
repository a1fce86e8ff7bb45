# SPDX-License-Identifier: Apache-2.0
"""A camera service keeps the first row of every frame; a slice keeps the whole frame alive."""
import numpy

import backdrop

ROWS, COLUMNS = 60, 160


class Timeline:
    def __init__(self):
        self.rows = []

    def add(self, frame):
        self.rows.append(frame[0])


timeline = Timeline()


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        frame = numpy.full((ROWS, COLUMNS), number % 256, dtype=numpy.uint8)
        timeline.add(frame)


if __name__ == "__main__":
    main()
