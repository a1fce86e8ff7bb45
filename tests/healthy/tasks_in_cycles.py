# SPDX-License-Identifier: Apache-2.0
"""Connections and their tasks refer to each other: only the collector, which is on, takes them back."""
import asyncio

import backdrop


class Connection:
    def __init__(self):
        self.buffer = bytearray(500)
        self.task = None

    async def run(self):
        self.task = asyncio.current_task()
        await asyncio.Event().wait()


async def main():
    backdrop.noise()
    async for _ in backdrop.apace(30):
        asyncio.create_task(Connection().run())


if __name__ == "__main__":
    asyncio.run(main())
