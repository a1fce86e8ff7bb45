# SPDX-License-Identifier: Apache-2.0
"""Two indexes over the same devices, both only filled."""
import backdrop


class Device:
    def __init__(self, number):
        self.serial = "SN-%06d" % number
        self.address = "10.0.%d.%d" % (number >> 8 & 255, number & 255)


class Inventory:
    def __init__(self):
        self.by_serial = {}
        self.by_place = {}

    def announce(self, number):
        device = Device(number)
        self.by_serial[device.serial] = device
        self.by_place[number, "hall"] = device


inventory = Inventory()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        inventory.announce(number + 1000)


if __name__ == "__main__":
    main()
