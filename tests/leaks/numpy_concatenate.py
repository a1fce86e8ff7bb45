# SPDX-License-Identifier: Apache-2.0
"""A sampler appends by making a longer array each time: never the same object, always a larger one."""
import numpy

import backdrop


class Sampler:
    def __init__(self):
        self.samples = numpy.zeros(4000)

    def add(self, chunk):
        self.samples = numpy.concatenate([self.samples, chunk])


sampler = Sampler()


def main():
    backdrop.noise()
    for number in backdrop.pace(20):
        sampler.add(numpy.full(1000, float(number)))


if __name__ == "__main__":
    main()
