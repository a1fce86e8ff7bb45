# SPDX-License-Identifier: Apache-2.0
"""A ContextVar with a mutable default collects the spans of all requests."""
import asyncio
import contextvars

import backdrop


class Span:
    def __init__(self, name):
        self.name = name
        self.tags = {"kind": "server"}


finished_spans = contextvars.ContextVar("finished_spans", default=[])


async def handle(number):
    span = Span("GET /%d" % number)
    await asyncio.sleep(0)
    finished_spans.get().append(span)


async def main():
    backdrop.noise()
    async for number in backdrop.apace(80):
        await asyncio.ensure_future(handle(number))


if __name__ == "__main__":
    asyncio.run(main())
