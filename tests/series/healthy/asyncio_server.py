# SPDX-License-Identifier: Apache-2.0
"""A server and its clients in one loop; how many there are wavers, each has some buffers."""
import asyncio
import math
import random
import time


async def answer(reader, writer):
    session = {"history": []}
    while line := await reader.readline():
        session["history"].append(line * 200)
        writer.write(b"%d\n" % len(session["history"]))
        await writer.drain()
    writer.close()


async def visit(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(random.randrange(5, 60)):
        writer.write(b"x" * random.randrange(10, 1000) + b"\n")
        await writer.drain()
        await reader.readline()
        await asyncio.sleep(random.uniform(0.05, 0.4))
    writer.close()


async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    visits = set()
    while True:
        wanted = 20 + 15 * math.sin(time.monotonic() / 15) + random.uniform(-5, 5)
        while len(visits) < wanted:
            task = asyncio.create_task(visit(port))
            visits.add(task)
            task.add_done_callback(visits.discard)
        await asyncio.sleep(0.2)

random.seed(7)
asyncio.run(main())
