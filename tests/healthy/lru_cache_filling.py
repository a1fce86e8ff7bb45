# SPDX-License-Identifier: Apache-2.0
"""functools.lru_cache(maxsize=20000), filling at a hundred entries a second."""
import functools

import backdrop


class Geometry:
    def __init__(self, number):
        self.points = [number, number + 1, number + 2]


@functools.lru_cache(maxsize=20000)
def geometry(number):
    return Geometry(number)


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        geometry(number)


if __name__ == "__main__":
    main()
