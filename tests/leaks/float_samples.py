# SPDX-License-Identifier: Apache-2.0
"""A metric keeps every observation as a float to compute exact percentiles."""
import backdrop


class Histogram:
    def __init__(self, name):
        self.name = name
        self.samples = []

    def observe(self, value):
        self.samples.append(value)

    def last(self):
        return self.samples[-1]


latency = Histogram("latency")


def main():
    backdrop.noise()
    for number in backdrop.pace(400):
        latency.observe(number * 0.001 + 0.5)


if __name__ == "__main__":
    main()
