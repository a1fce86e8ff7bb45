# SPDX-License-Identifier: Apache-2.0
"""Coroutines are made for each event, but the list of them is never awaited."""
import asyncio

import backdrop


class Event:
    def __init__(self, number):
        self.number = number
        self.tags = {"kind": "click"}


class Dispatcher:
    def __init__(self):
        self.outbox = []

    def dispatch(self, event):
        self.outbox.append(self.deliver(event))

    async def deliver(self, event):
        await asyncio.sleep(0)
        return event.number


dispatcher = Dispatcher()


async def main():
    backdrop.noise()
    async for number in backdrop.apace(60):
        dispatcher.dispatch(Event(number))


if __name__ == "__main__":
    asyncio.run(main())
