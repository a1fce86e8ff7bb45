# SPDX-License-Identifier: Apache-2.0
"""An exception stored in a local of the frame that its traceback holds, gc off."""
import gc

import backdrop


class LookupFailed(Exception):
    pass


class Document:
    def __init__(self, number):
        self.number = number
        self.words = ["alpha", "beta"]


def find(number):
    document = Document(number)
    failure = None
    try:
        raise LookupFailed(document.number)
    except LookupFailed as error:
        failure = error  # frame -> failure -> traceback -> frame
    return failure is not None


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(60):
        find(number)


if __name__ == "__main__":
    main()
