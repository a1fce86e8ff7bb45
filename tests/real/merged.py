# SPDX-License-Identifier: Apache-2.0
"""A program whose places are known: test_merged.py counts what hangs where."""
import asyncio
import collections
import threading
import time


class Item:
    pass


class Slotted:
    __slots__ = ("item", "next")

    def __init__(self, after=None):
        self.item = Item()
        self.next = after


class Session:
    def __init__(self):
        self.items = [Item(), Item()]
        self.waiting = collections.deque([Item()])


class Registry:
    known = {}


state = threading.local()
state.items = [Item() for _ in range(11)]
sessions = {"user-%d" % n: Session() for n in range(500)}
Registry.known.update((n, Item()) for n in range(70))
chain = None
for _ in range(3000):
    chain = Slotted(chain)
shared = Item()
first, second = [shared], [shared]
del shared


def worker(ready):
    mine = [Item() for _ in range(30)]
    ready.wait()
    while mine:
        time.sleep(60)


async def serve():
    own = [Item() for _ in range(5)]
    while own:
        await asyncio.sleep(3600)


async def main():
    barrier = threading.Barrier(4)
    for _ in range(3):
        threading.Thread(target=worker, args=(barrier,), daemon=True).start()
    tasks = [asyncio.create_task(serve()) for _ in range(40)]
    barrier.wait()
    await asyncio.sleep(0.2)
    print("READY", flush=True)
    await asyncio.gather(*tasks)


asyncio.run(main())
