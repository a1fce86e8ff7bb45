# SPDX-License-Identifier: Apache-2.0
"""A tornado chat: each long poll leaves a Future in `waiters`; clients that hang up leave theirs."""
import asyncio

import tornado.httpserver
import tornado.netutil
import tornado.web

import backdrop

waiters = set()


class MessageUpdates(tornado.web.RequestHandler):
    async def get(self):
        self.future = asyncio.get_running_loop().create_future()
        waiters.add(self.future)
        self.write({"messages": await self.future})

    # There is no on_connection_close() that discards the future.


async def poll_and_hang_up(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /updates HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.01)
    writer.close()


async def main():
    backdrop.noise()
    sockets = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/updates", MessageUpdates)]))
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    async for _ in backdrop.apace(40):
        await poll_and_hang_up(port)


if __name__ == "__main__":
    asyncio.run(main())
