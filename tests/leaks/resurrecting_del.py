# SPDX-License-Identifier: Apache-2.0
"""A pool whose objects put themselves back when they die, however many there are."""
import backdrop

idle = []


class Buffer:
    def __init__(self, number):
        self.number = number

    def __del__(self):
        idle.append(self)  # to be used again, which nobody does


def handle(number):
    return Buffer(number).number


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        handle(number)


if __name__ == "__main__":
    main()
