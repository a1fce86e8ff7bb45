# SPDX-License-Identifier: Apache-2.0
"""An aiohttp server keeps its websockets in a set of the application, and those whose client hung
up stay there."""
import asyncio

import aiohttp
import aiohttp.web

import backdrop

app = aiohttp.web.Application()
app["websockets"] = set()


async def feed(request):
    socket = aiohttp.web.WebSocketResponse()
    await socket.prepare(request)
    request.app["websockets"].add(socket)
    async for message in socket:
        await socket.send_str(message.data.upper())
    return socket  # discard() was forgotten


async def visit(session, url):
    async with session.ws_connect(url) as socket:
        await socket.send_str("hello")
        await socket.receive()


async def main():
    backdrop.noise()
    app.router.add_get("/feed", feed)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:%d/feed" % runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        async for _ in backdrop.apace(40):
            await visit(session, url)


if __name__ == "__main__":
    asyncio.run(main())
