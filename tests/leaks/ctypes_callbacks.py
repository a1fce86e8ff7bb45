# SPDX-License-Identifier: Apache-2.0
"""A binding makes a C callback for each call and keeps it, so that C may call it later."""
import ctypes

import backdrop

COMPARE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int)


class Binding:
    def __init__(self):
        self.callbacks = []

    def sort(self, weight):
        callback = COMPARE(lambda a, b: (a - b) * weight)
        self.callbacks.append(callback)
        return callback(2, 1)


binding = Binding()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        binding.sort(number)


if __name__ == "__main__":
    main()
