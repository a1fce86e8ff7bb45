# SPDX-License-Identifier: Apache-2.0
"""A feed reads the first item of each asynchronous generator and keeps it for later pages."""
import asyncio

import backdrop


class Page:
    def __init__(self, number):
        self.number = number
        self.entries = ["entry-%d-%d" % (number, n) for n in range(4)]


async def read_pages(start):
    page = Page(start)
    for entry in page.entries:
        yield entry
        await asyncio.sleep(0)


class Feed:
    def __init__(self):
        self.open = []

    async def first(self, start):
        pages = read_pages(start)
        self.open.append(pages)
        return await pages.__anext__()


feed = Feed()


async def main():
    backdrop.noise()
    async for number in backdrop.apace(50):
        await feed.first(number)


if __name__ == "__main__":
    asyncio.run(main())
