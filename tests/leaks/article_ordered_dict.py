# SPDX-License-Identifier: Apache-2.0
"""The OrderedDict of old: its root is a list that holds itself; gc off."""
import gc

import backdrop


class OrderedDict(dict):
    def __init__(self, **kwds):
        self.__root = root = []  # sentinel node
        root[:] = [root, root, None]
        self.__map = {}
        dict.update(self, kwds)


def parse(number):
    return len(OrderedDict(number=number, name="n%d" % number))


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(80):
        parse(number)


if __name__ == "__main__":
    main()
