# SPDX-License-Identifier: Apache-2.0
"""Views subscribe to an event bus and to the end of the server, and unsubscribe when they close."""
import asyncio
import collections

import backdrop


class Bus:
    def __init__(self):
        self.listeners = []


class View:
    def __init__(self, number):
        self.number = number
        bus.listeners.append(self.refresh)

    def refresh(self, future=None):
        return self.number

    def close(self):
        bus.listeners.remove(self.refresh)


bus = Bus()


async def main():
    backdrop.noise()
    end = asyncio.get_running_loop().create_future()
    open_views = collections.deque()
    async for number in backdrop.apace(100):
        view = View(number)
        end.add_done_callback(view.refresh)
        open_views.append(view)
        if len(open_views) > 40:
            oldest = open_views.popleft()
            oldest.close()
            end.remove_done_callback(oldest.refresh)


if __name__ == "__main__":
    asyncio.run(main())
