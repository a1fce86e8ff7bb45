# SPDX-License-Identifier: Apache-2.0
"""Each client starts a PeriodicCallback for its pings, and nobody stops it."""
import asyncio

import tornado.ioloop

import backdrop


class Client:
    def __init__(self, number):
        self.number = number
        self.timer = tornado.ioloop.PeriodicCallback(self.ping, 600000)
        self.timer.start()

    def ping(self):
        pass


async def accept():
    async for number in backdrop.apace(50):
        Client(number)


def main():
    backdrop.noise()
    asyncio.run(accept())


if __name__ == "__main__":
    main()
