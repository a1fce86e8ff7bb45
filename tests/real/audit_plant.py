# SPDX-License-Identifier: Apache-2.0
"""audit_plant.py COUNT SEED WAY: leaks one reference to each of COUNT objects of random kinds.

WAY: plain, kept (the program holds the objects, too), frozen (gc.freeze), threads, asyncio. Prints how
many there are of each type, then READY.
"""
import asyncio
import collections
import gc
import json
import random
import sys
import threading
import time
import types

import audit_leak


class Session:
    def __init__(self, number):
        self.number = number
        self.user = {"name": "user-%d" % number}


class Point:
    __slots__ = ("x",)


KINDS = {
    "__main__.Session": Session,
    "__main__.Point": lambda number: Point(),
    "str": lambda number: "planted text %d" % number * (1 + number % 3 * 20),
    "bytes": lambda number: b"planted bytes %d" % number,
    "float": lambda number: number + 0.25,
    "int": lambda number: 10 ** 20 + number,
    "tuple": lambda number: (number + 0.5, "in a tuple %d" % number),
    "list": lambda number: ["in a list %d" % number],
    "dict": lambda number: {"key-%d" % number: number},
    "type": lambda number: type("Planted%d" % number, (), {}),
    "module": lambda number: types.ModuleType("planted_%d" % number),
}
KEPT = []


def plant_one(kind, number, way):
    thing = KINDS[kind](number)
    audit_leak.leak(thing)
    if way == "kept":
        KEPT.append(thing)


def churn(depth):
    """What was left on the stacks is written over."""
    texts = [str(number) for number in range(20)]
    return churn(depth - 1) if depth else len(sorted(texts))


def plant(kinds, first, way):
    for number, kind in enumerate(kinds, first):
        plant_one(kind, number, way)
    churn(30)


async def plant_in_tasks(kinds):
    async def one(kind, number):
        await asyncio.sleep(0)
        plant_one(kind, number, "asyncio")
        await asyncio.sleep(0)

    await asyncio.gather(*[one(kind, number) for number, kind in enumerate(kinds)])
    churn(30)
    gc.collect()
    print("READY", flush=True)
    await asyncio.sleep(1000)


def plant_in_threads(kinds):
    done = threading.Barrier(5)

    def run(part):
        plant(kinds[part::4], part * 1000, "threads")
        done.wait()
        time.sleep(1000)

    for part in range(4):
        threading.Thread(target=run, args=(part,), daemon=True).start()
    done.wait()


def main():
    count, seed, way = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    chance = random.Random(seed)
    kinds = [chance.choice(list(KINDS)) for _ in range(count)]
    print(json.dumps(collections.Counter(kinds)))
    if way == "asyncio":
        asyncio.run(plant_in_tasks(kinds))
    if way == "threads":
        plant_in_threads(kinds)
    else:
        plant(kinds, 0, way)
    del kinds
    gc.collect()
    if way == "frozen":
        gc.freeze()
    print("READY", flush=True)
    time.sleep(1000)


if __name__ == "__main__":
    main()
