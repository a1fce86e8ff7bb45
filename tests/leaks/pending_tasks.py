# SPDX-License-Identifier: Apache-2.0
"""A push hub starts a task per client; the tasks wait for messages that never come."""
import asyncio

import backdrop


class Hub:
    def __init__(self):
        self.background = set()

    def start(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.background.add(task)
        task.add_done_callback(self.background.discard)


hub = Hub()


async def push_to(client):
    mailbox = asyncio.Queue()
    while True:
        message = await mailbox.get()
        client.append(message)


async def main():
    backdrop.noise()
    async for number in backdrop.apace(40):
        hub.start(push_to(["client", number]))


if __name__ == "__main__":
    asyncio.run(main())
