# SPDX-License-Identifier: Apache-2.0
"""Each row registers a clean-up on the session that it came from, and the session never dies."""
import weakref

import backdrop


class Session:
    def __init__(self):
        self.name = "main session"


class Row:
    def __init__(self, number):
        self.number = number
        weakref.finalize(session, forget, number).atexit = False


def forget(number):
    return number


session = Session()


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        Row(number)


if __name__ == "__main__":
    main()
