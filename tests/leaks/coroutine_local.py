# SPDX-License-Identifier: Apache-2.0
"""An asyncio service keeps its subscribers in a dict that is a local of a coroutine."""
import asyncio

import backdrop


class Subscriber:
    def __init__(self, name):
        self.name = name
        self.inbox = []


async def deliver(subscriber):
    subscriber.inbox.append("welcome")
    await asyncio.sleep(0)


async def serve(per_second):
    subscribers = {}
    async for number in backdrop.apace(per_second):
        subscriber = Subscriber("device-%d" % number)
        subscribers[subscriber.name] = subscriber
        await deliver(subscriber)


async def heartbeat():
    while True:
        await asyncio.sleep(0.05)


async def main():
    backdrop.noise()
    pulse = asyncio.ensure_future(heartbeat())
    await serve(100)
    pulse.cancel()


if __name__ == "__main__":
    asyncio.run(main())
