# SPDX-License-Identifier: Apache-2.0
"""A leak five attributes away from the module: tracker.shard.store.journal.entries."""
import backdrop


class Entry:
    def __init__(self, position):
        self.position = position
        self.operation = "put"


class Journal:
    def __init__(self):
        self.entries = []
        self.flushed = 0

    def append(self, entry):
        self.entries.append(entry)

    def flush(self):
        self.flushed = len(self.entries)  # should have cleared them


class Store:
    def __init__(self):
        self.journal = Journal()
        self.rows = {}


class Shard:
    def __init__(self):
        self.store = Store()


class Tracker:
    def __init__(self):
        self.shard = Shard()


tracker = Tracker()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        tracker.shard.store.rows[number % 64] = number
        tracker.shard.store.journal.append(Entry(number))
        if number % 50 == 0:
            tracker.shard.store.journal.flush()


if __name__ == "__main__":
    main()
