# SPDX-License-Identifier: Apache-2.0
"""Each request starts a timer of half a minute and cancels it when it has its answer."""
import asyncio

import backdrop


class Request:
    def __init__(self, number):
        self.number = number
        self.answer = None

    def expire(self):
        self.answer = "too late"


async def main():
    backdrop.noise()
    loop = asyncio.get_running_loop()
    async for number in backdrop.apace(200):
        request = Request(number)
        timer = loop.call_later(30, request.expire)
        await asyncio.sleep(0)
        timer.cancel()


if __name__ == "__main__":
    asyncio.run(main())
