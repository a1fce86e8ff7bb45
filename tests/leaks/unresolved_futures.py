# SPDX-License-Identifier: Apache-2.0
"""An RPC client stores a future for each call; replies that get lost leave it there for ever."""
import asyncio

import backdrop


class Client:
    def __init__(self):
        self.waiting = {}

    def call(self, number):
        reply = asyncio.get_running_loop().create_future()
        self.waiting[number] = reply
        return reply

    def answer(self, number):
        reply = self.waiting.pop(number)
        reply.set_result("pong")


client = Client()


async def main():
    backdrop.noise()
    async for number in backdrop.apace(120):
        client.call(number)
        if number % 2:
            client.answer(number)


if __name__ == "__main__":
    asyncio.run(main())
