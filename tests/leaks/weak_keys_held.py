# SPDX-License-Identifier: Apache-2.0
"""States in a WeakKeyDictionary refer to the connections that are their keys."""
import weakref

import backdrop


class Connection:
    def __init__(self, number):
        self.number = number


class State:
    def __init__(self, connection):
        self.connection = connection  # holds the key, which holds the entry


states = weakref.WeakKeyDictionary()


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        connection = Connection(number)
        states[connection] = State(connection)


if __name__ == "__main__":
    main()
