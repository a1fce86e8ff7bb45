# SPDX-License-Identifier: Apache-2.0
"""Every request adds a callback to the one future that ends with the server."""
import asyncio

import backdrop


class Request:
    def __init__(self, number):
        self.number = number
        self.headers = {"id": str(number)}

    def abort(self, future):
        self.headers.clear()


class Server:
    def __init__(self):
        self.shutdown = None

    def handle(self, request):
        self.shutdown.add_done_callback(request.abort)


server = Server()


async def main():
    backdrop.noise()
    server.shutdown = asyncio.get_running_loop().create_future()
    async for number in backdrop.apace(80):
        server.handle(Request(number))


if __name__ == "__main__":
    asyncio.run(main())
