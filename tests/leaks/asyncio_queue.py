# SPDX-License-Identifier: Apache-2.0
"""An asyncio service puts events on a queue faster than its consumer awaits them."""
import asyncio

import backdrop


class Event:
    def __init__(self, number):
        self.number = number
        self.topic = "topic-%d" % number


events = None


async def consume():
    while True:
        await events.get()
        await asyncio.sleep(2)


async def serve():
    global events
    events = asyncio.Queue()
    consumer = asyncio.ensure_future(consume())
    async for number in backdrop.apace(120):
        events.put_nowait(Event(number))
    await consumer


def main():
    backdrop.noise()
    asyncio.run(serve())


if __name__ == "__main__":
    main()
