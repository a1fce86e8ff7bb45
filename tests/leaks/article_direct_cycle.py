# SPDX-License-Identifier: Apache-2.0
"""An object with itself as an attribute, left behind by each call of a function; gc off."""
import gc

import backdrop


class OBJ:
    pass


def direct_cycle_reference():
    a = OBJ()
    a.attr = a


def main():
    gc.disable()
    backdrop.noise()
    for _ in backdrop.pace(60):
        direct_cycle_reference()


if __name__ == "__main__":
    main()
