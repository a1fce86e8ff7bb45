# SPDX-License-Identifier: Apache-2.0
"""A report tool compiles the formula of each cell and keeps the code."""
import backdrop


class Sheet:
    def __init__(self):
        self.formulas = []

    def fill(self, text):
        self.formulas.append(compile(text, "cell", "eval"))
        return eval(self.formulas[-1])


sheet = Sheet()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        sheet.fill("%d + 0.5" % (number + 1000))


if __name__ == "__main__":
    main()
