# SPDX-License-Identifier: Apache-2.0
"""Two objects that hold each other, left behind by a loop with gc off: nothing finds a holder."""
import gc

import backdrop


class OBJ:
    pass


def show_cycle_reference():
    a, b = OBJ(), OBJ()
    a.attr_b = b
    b.attr_a = a


def main():
    gc.disable()
    backdrop.noise()
    for _ in backdrop.pace(50):
        show_cycle_reference()


if __name__ == "__main__":
    main()
