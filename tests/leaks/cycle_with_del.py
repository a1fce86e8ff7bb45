# SPDX-License-Identifier: Apache-2.0
"""Objects with __del__ in a ring; the collector that could free them is off."""
import gc

import backdrop

released = 0


class Device:
    def __init__(self, number):
        self.number = number
        self.driver = Driver(self)

    def __del__(self):
        global released
        released += 1


class Driver:
    def __init__(self, device):
        self.device = device
        self.registers = [0] * 8


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(100):
        Device(number)


if __name__ == "__main__":
    main()
