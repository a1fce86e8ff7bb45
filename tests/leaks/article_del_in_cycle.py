# SPDX-License-Identifier: Apache-2.0
"""A cycle of objects with __del__, which Python 2 could not free at all; gc off."""
import gc

import backdrop


class OBJ:
    closed = 0

    def __del__(self):
        OBJ.closed += 1


def cycle_with_del():
    a, b = OBJ(), OBJ()
    a.attr_b = b
    b.attr_a = a


def main():
    gc.disable()
    backdrop.noise()
    for _ in backdrop.pace(50):
        cycle_with_del()


if __name__ == "__main__":
    main()
