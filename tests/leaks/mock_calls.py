# SPDX-License-Identifier: Apache-2.0
"""A mock stands in for the mail gateway of a demo installation and remembers every call."""
import unittest.mock

import backdrop


class Mail:
    def __init__(self, number):
        self.subject = "subject %d" % number
        self.body = "x" * 200


gateway = unittest.mock.Mock()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        gateway(Mail(number))


if __name__ == "__main__":
    main()
