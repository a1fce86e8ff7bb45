# SPDX-License-Identifier: Apache-2.0
"""Errors that are made but never raised are plain objects: no traceback, no frame."""
import backdrop


class FieldError(Exception):
    def __init__(self, field, number):
        super().__init__("%s of row %d" % (field, number))
        self.field = field


class Importer:
    def __init__(self):
        self.errors = []

    def check(self, number):
        self.errors.append(FieldError("price", number))


importer = Importer()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        importer.check(number)


if __name__ == "__main__":
    main()
