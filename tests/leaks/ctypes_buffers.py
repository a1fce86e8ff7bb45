# SPDX-License-Identifier: Apache-2.0
"""A driver keeps the buffers that it handed to a C library, in case the library still reads them."""
import ctypes

import backdrop


class Driver:
    def __init__(self):
        self.handed_over = []

    def send(self, text):
        buffer = ctypes.create_string_buffer(text, 16384)
        self.handed_over.append(buffer)


driver = Driver()


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        driver.send(b"message %d" % number)


if __name__ == "__main__":
    main()
