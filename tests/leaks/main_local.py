# SPDX-License-Identifier: Apache-2.0
"""A batch job collects its results in a local of main() and never hands them over."""
import backdrop


class Result:
    def __init__(self, key, score):
        self.key = key
        self.score = score
        self.notes = ["checked"]


def work(number):
    return Result("row-%d" % number, number * 0.5)


def main():
    results = []
    backdrop.noise()
    for number in backdrop.pace(120):
        results.append(work(number))


if __name__ == "__main__":
    main()
