# SPDX-License-Identifier: Apache-2.0
"""A class for each message, made and dropped: every class is a cycle; gc off."""
import gc

import backdrop


def message_class(number):
    return type("Message%d" % (number % 7), (), {"number": number, "fields": ()})


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(40):
        message_class(number)().fields


if __name__ == "__main__":
    main()
