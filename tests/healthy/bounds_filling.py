# SPDX-License-Identifier: Apache-2.0
"""Containers that are far from their bounds, which the program states in many ways."""
import collections

import backdrop

CONFIG = {"pages": 30000}
LIMIT = 30000


class Page:
    def __init__(self, key):
        self.key = key


class ByAttribute:
    def __init__(self, n):
        self.n, self.d = n, {}

    def put(self, key):
        self.d[key] = Page(key)
        if len(self.d) > self.n:
            self.d.pop(next(iter(self.d)))


class ByClass:
    KEPT = 30000

    def __init__(self):
        self.pages = {}

    def put(self, key):
        if len(self.pages) < self.KEPT:
            self.pages[key] = Page(key)


class ByItself(collections.OrderedDict):
    def __init__(self, entries):
        super().__init__()
        self.entries = entries

    def put(self, key):
        self[key] = Page(key)
        if self.entries < len(self):
            self.popitem(last=False)


class InAnotherFunction:
    def __init__(self):
        self.waiting = []

    def put(self, key):
        self.waiting.append(Page(key))
        if len(self.waiting) > 30000:
            self.trim()

    def trim(self):
        del self.waiting[:1000]


def captured(n):
    kept = collections.OrderedDict()

    def put(key):
        kept[key] = Page(key)
        if len(kept) > n:
            kept.popitem(last=False)
    return put


configured, by_default, history, by_global = {}, {}, [], []


def put_configured(key):
    configured[key] = Page(key)
    if len(configured) > CONFIG["pages"]:
        configured.pop(next(iter(configured)))


def put_by_default(key, keep=30000):
    by_default[key] = Page(key)
    while len(by_default) > keep:
        by_default.pop(next(iter(by_default)))


def put_history(key):
    history.append(Page(key))
    del history[:-30000]


def put_by_global(key):
    by_global.append(Page(key))
    if len(by_global) > LIMIT:
        by_global.pop(0)


attribute, of_class, itself, another = ByAttribute(30000), ByClass(), ByItself(30000), InAnotherFunction()
put_captured = captured(30000)
PUT = [attribute.put, of_class.put, itself.put, another.put, put_captured, put_configured, put_by_default,
       put_history, put_by_global]


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        for put in PUT:
            put(number)


if __name__ == "__main__":
    main()
