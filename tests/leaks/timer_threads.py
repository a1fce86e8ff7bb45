# SPDX-License-Identifier: Apache-2.0
"""A timer thread of an hour for each upload; nobody cancels it when the upload is done."""
import threading

import backdrop


class Upload:
    def __init__(self, number):
        self.number = number
        self.parts = []

    def give_up(self):
        self.parts = None


def accept(number):
    upload = Upload(number)
    timer = threading.Timer(3600, upload.give_up)
    timer.daemon = True
    timer.start()


def main():
    threading.stack_size(256 * 1024)
    backdrop.noise()
    for number in backdrop.pace(15):
        accept(number)


if __name__ == "__main__":
    main()
