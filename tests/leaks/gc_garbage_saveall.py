# SPDX-License-Identifier: Apache-2.0
"""gc.set_debug(gc.DEBUG_SAVEALL) was left on after an investigation: gc.garbage keeps all."""
import gc

import backdrop


class Node:
    def __init__(self):
        self.me = self


def main():
    gc.set_debug(gc.DEBUG_SAVEALL)
    backdrop.noise()
    for number in backdrop.pace(120):
        Node()
        if number % 20 == 0:
            gc.collect()


if __name__ == "__main__":
    main()
