# SPDX-License-Identifier: Apache-2.0
"""Allocates in many ways, for sites_truth.py."""
import ctypes

kept = []


class Session:
    def __init__(self, number):
        self.number = number
        self.name = "session %d" % number
        self.headers = {"host": "a%d" % number, "path": "/" + "x" * (number % 50)}


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left):
        self.left = left
        self.right = (left, left + 0.5)


def descend(depth):
    if depth:
        return descend(depth - 1)
    return [bytes(100) for _ in range(20)]


def work():
    kept.append([Session(number) for number in range(400)])
    kept.append([Slotted(number * 1000) for number in range(300)])
    kept.append(descend(10))
    kept.append(descend(60))
    kept.append([set(range(number)) for number in range(50)])
    kept.append([lambda: number for number in range(30)])
    kept.append(bytearray(1 << 20))
    kept.append(compiled())
    grow()


def compiled():
    space = {}
    exec(compile("def f():\n    return [object() for _ in range(100)]\nx = f()", "made\n\u00e9.py", "exec"), space)
    return space


def grow():
    items = []
    for number in range(5000):
        items.append(str(number + 100000))
    kept.append(items)


def drop():
    del kept[0][100:300]
    del kept[3]
    kept[-1].clear()


def track():
    tell = ctypes.pythonapi.PyTraceMalloc_Track
    tell.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
    for number in range(200):
        tell(389047, 0x1000 * (number + 1), 640)
    tell(7, 0xdead0000, 1 << 33)
    tell(7, 0xdead1000, 0)
