# SPDX-License-Identifier: Apache-2.0
"""A heap with everything that makes ownership hard: shared leaves, cycles, long lists, weak caches,
two containers of the same objects, closures, generators, frames in several threads."""
import collections
import functools
import json
import logging
import threading
import time
import weakref


class Link:
    def __init__(self, before):
        self.before = before


class Node:
    __slots__ = ("parent", "children", "name", "__weakref__")

    def __init__(self, parent, name):
        self.parent, self.children, self.name = parent, [], name
        if parent:
            parent.children.append(self)


class Hub:
    def __init__(self):
        self.rooms = {}
        self.order = collections.deque(maxlen=2000)
        self.weak = weakref.WeakValueDictionary()

    def enter(self, number):
        room = {"number": number, "members": {f"user-{number}-{i}" for i in range(5)}}
        self.rooms[number] = room
        if number % 3:
            self.order.append(room)


def long_list(length):
    link = None
    for _ in range(length):
        link = Link(link)
    return link


def tree(depth, parent=None):
    node = Node(parent, "node-%d" % depth)
    if depth:
        for _ in range(3):
            tree(depth - 1, node)
    return node


def counting(values):
    total = 0
    for value in values:
        total += value
        yield total


@functools.lru_cache(maxsize=None)
def parsed(number):
    return json.loads('{"a": [1, 2, {"b": "%d"}]}' % number)


def adder(amount, log):
    return lambda value: log.append(value + amount)


def wait_with(rows, ready):
    held = [rows, list(range(1000, 1100))]
    ready.set()
    time.sleep(1000000)
    return held


hub = Hub()
for i in range(500):
    hub.enter(i)
links = long_list(450)
spare = links.before.before
forest = [tree(5), tree(4)]
hub.weak["tree"] = forest[0]
numbers = counting(range(300, 400))
next(numbers)
log = []
adders = [adder(i, log) for i in range(200)]
for i in range(300):
    parsed(i)
by_name = {"room": hub.rooms[3], "self": None}
by_name["self"] = by_name
logging.getLogger("weighed.sub").addHandler(logging.NullHandler())

for i in range(3):
    started = threading.Event()
    threading.Thread(target=wait_with, args=([object() for _ in range(50)], started), daemon=True).start()
    started.wait()
lost = Link(None)
lost.before = Link(lost)
del lost

print("READY", flush=True)
time.sleep(1000000)
