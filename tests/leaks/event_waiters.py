# SPDX-License-Identifier: Apache-2.0
"""Each call leaves a task that waits for the same shutdown event."""
import asyncio

import backdrop


class Call:
    def __init__(self, number):
        self.number = number
        self.answer = None


class Channel:
    def __init__(self):
        self.closed = None

    async def open(self):
        self.closed = asyncio.Event()

    async def until_closed(self, call):
        await self.closed.wait()
        call.answer = "closed"

    async def call(self, number):
        asyncio.ensure_future(self.until_closed(Call(number)))
        await asyncio.sleep(0)


channel = Channel()


async def main():
    backdrop.noise()
    await channel.open()
    async for number in backdrop.apace(40):
        await channel.call(number)


if __name__ == "__main__":
    asyncio.run(main())
