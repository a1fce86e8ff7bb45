# SPDX-License-Identifier: Apache-2.0
"""Objects that put themselves back into a pool when they die, and are taken from there again."""
import backdrop

idle = []


class Buffer:
    def __del__(self):
        if len(idle) < 50:
            idle.append(self)


def handle(number):
    buffer = idle.pop() if idle else Buffer()
    buffer.number = number
    return buffer.number


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        handle(number)


if __name__ == "__main__":
    main()
