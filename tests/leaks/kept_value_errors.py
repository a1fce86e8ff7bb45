# SPDX-License-Identifier: Apache-2.0
"""An import tool collects the errors of all lines for its final report."""
import backdrop


class Line:
    def __init__(self, text):
        self.text = text


class Import:
    def __init__(self):
        self.errors = []

    def read(self, text):
        line = Line(text)
        try:
            return int(line.text)
        except ValueError as error:
            self.errors.append(error)


job = Import()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        job.read("line %d" % number)


if __name__ == "__main__":
    main()
