# SPDX-License-Identifier: Apache-2.0
"""Things that have begun, wait and ended; prints as JSON where each of them is, then READY."""
import asyncio
import gc
import json
import sys
import time
import weakref


class Thing:
    pass


def walk(start):
    step = start
    yield step
    for number in range(3):

        yield (number +
               step)


def at(position, steps):
    generator = walk(position)
    for _ in range(steps):
        next(generator)
    return generator


def note_frame():
    here = Thing
    frames.append(sys._getframe())
    return here


async def sleep():
    await asyncio.sleep(1000)


frames = []
generators = [at(0, steps) for steps in (0, 1, 2, 4)]
ended = at(0, 4)
list(ended)
living = Thing()
references = [weakref.ref(living), weakref.ref(Thing())]


def line_of(generator):
    frame = generator.gi_frame
    return "not started" if frame.f_lasti < 0 or frame.f_lineno == frame.f_code.co_firstlineno \
        else "at line %d" % frame.f_lineno


async def main():
    global tasks, futures
    note_frame()
    tasks = [asyncio.ensure_future(sleep()), asyncio.ensure_future(asyncio.sleep(0))]
    futures = [asyncio.get_running_loop().create_future() for _ in range(3)]
    futures[1].cancel()
    futures[2].set_result(1)
    await asyncio.sleep(0.1)
    gc.collect()
    print(json.dumps({
        "generators": [line_of(generator) for generator in generators],
        "frame": frames[0].f_lineno,
        "coroutine": tasks[0].get_coro().cr_frame.f_lineno,
    }), flush=True)
    print("READY", flush=True)
    time.sleep(100)


if __name__ == "__main__":
    asyncio.run(main())
