# SPDX-License-Identifier: Apache-2.0
"""Background tasks are kept in a set 'so that they are not collected', and never discarded."""
import asyncio

import backdrop


class Mail:
    def __init__(self, number):
        self.number = number
        self.text = "dear customer %d" % number


background_tasks = set()


async def send(mail):
    await asyncio.sleep(0)
    return mail


async def main():
    backdrop.noise()
    async for number in backdrop.apace(60):
        background_tasks.add(asyncio.ensure_future(send(Mail(number))))


if __name__ == "__main__":
    asyncio.run(main())
