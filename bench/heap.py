# SPDX-License-Identifier: Apache-2.0
"""A heap to measure: heap.py [INSTANCES]

INSTANCES objects, each with a dict, a str, a float and a list of two ints: about seven objects each.
Prints READY, the address of one of them and that of the list, and waits until its standard input ends.
"""

import sys


class Record:
    def __init__(self, i):
        self.fields = {"key": i}
        self.name = f"name-{i}"
        self.weight = i + 0.5
        self.pair = [i, i + 1]


def build(instances):
    return [Record(i) for i in range(instances)]


if __name__ == "__main__":
    records = build(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
    print("READY", hex(id(records[len(records) // 2])), hex(id(records)), flush=True)
    sys.stdin.read()
