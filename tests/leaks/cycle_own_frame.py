# SPDX-License-Identifier: Apache-2.0
"""A helper keeps its own frame in a local 'for the error message', gc off."""
import gc
import sys

import backdrop


class Upload:
    def __init__(self, number):
        self.number = number
        self.parts = ["head", "body"]


def check(number):
    upload = Upload(number)
    here = sys._getframe()  # frame -> here -> frame
    return upload.number == number and here.f_lineno > 0


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(60):
        check(number)


if __name__ == "__main__":
    main()
