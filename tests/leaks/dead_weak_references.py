# SPDX-License-Identifier: Apache-2.0
"""A watcher list holds weak references; the objects die, the references stay."""
import weakref

import backdrop


class Connection:
    def __init__(self, number):
        self.number = number


class Watcher:
    def __init__(self):
        self.watched = []

    def watch(self, connection):
        self.watched.append(weakref.ref(connection))


watcher = Watcher()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        watcher.watch(Connection(number))


if __name__ == "__main__":
    main()
