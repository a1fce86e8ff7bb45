# SPDX-License-Identifier: Apache-2.0
"""Each session starts a timer of an hour that log-out does not cancel."""
import asyncio

import backdrop


class Session:
    def __init__(self, number):
        self.user = "user-%d" % number
        self.basket = []

    def expire(self):
        self.basket = None


async def main():
    backdrop.noise()
    loop = asyncio.get_running_loop()
    async for number in backdrop.apace(80):
        session = Session(number)
        loop.call_later(3600, session.expire)
        session.basket.append(number)


if __name__ == "__main__":
    asyncio.run(main())
