# SPDX-License-Identifier: Apache-2.0
"""Functions that compare lengths, each with what heapwhy should read from its bytecode."""
import json
import sys
import time

LIMITS = {"pages": 40}
pages = []


class Cache:
    limit = 300

    def __init__(self):
        self.entries = {}
        self.history = []

    def attribute(self, key):
        if len(self.entries) > self.limit:
            self.entries.pop(key)

    def number(self, key):
        if len(self.entries) >= 700:
            self.entries.clear()
        self.entries[key] = 1

    def turned(self):
        while 500 < len(self.history):
            self.history.pop()

    def cut(self, item):
        self.history.append(item)
        del self.history[:-500]

    def twice(self, key):
        if len(key) > 70:
            return
        if len(self.entries) >= self.limit:
            del self.entries[key]

    def neither(self, key):
        self.entries[key] = len(self.entries) + 5
        return key == 7


def everywhere(item):
    pages.append(item)
    if len(pages) > LIMITS["pages"]:
        pages.pop(0)


def closure(cap):
    kept = []

    def keep(item):
        kept.append(item)
        if len(kept) > cap:
            kept.pop(0)

    return keep


EXPECTED = [
    (Cache.attribute, "; len(self.entries) > self.limit"),
    (Cache.number, "; len(self.entries) >= 700"),
    (Cache.turned, "; len(self.history) > 500"),
    (Cache.cut, "; len(self.history) > 500"),
    (Cache.twice, "; len(key) > 70; len(self.entries) >= self.limit"),
    (Cache.neither, ""),
    (everywhere, "; len(pages) > LIMITS['pages']"),
    (closure(9), "; len(kept) > cap"),
]


def main():
    cache, keep = Cache(), EXPECTED[-1][0]
    for i in range(2000):  # so often that the interpreter specialises the instructions
        key = "%d" % i
        cache.entries[key] = i
        cache.attribute(key)
        cache.number(key)
        cache.turned()
        cache.cut(i)
        cache.twice(key)
        cache.neither(key)
        everywhere(i)
        keep(i)
    print(json.dumps([[hex(id(function.__code__)), function.__qualname__, text]
                      for function, text in EXPECTED]))
    print("READY", flush=True)
    time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 100)


main()
