# SPDX-License-Identifier: Apache-2.0
"""Memory line by line, and of memory_profiler's functions."""
import asyncio
import io
import logging
import tracemalloc
import warnings

import heapwhy
from heapwhy import _heapwhy, lines
from heapwhy.compat import memory_profiler
from things import fails, swallow

warnings.simplefilter("ignore")
logging.getLogger("leakcheck").addHandler(logging.NullHandler())


def work():
    data = [0] * 1000
    return len(data)


def steps():
    yield work()


def exercise(profiler):
    profiler.add_function(work)
    with profiler:
        work()
    list(profiler(steps)())
    profiler.runctx("work()", globals(), {})
    profiler.enable()
    profiler.disable()
    stream = io.StringIO()
    profiler.print(stream)
    lines.show_results(profiler, stream)
    return stream.getvalue(), list(profiler.code_map.items()), profiler.collections()


def allocated():
    _heapwhy.allocated_start()
    with lines.uncounted():
        bytearray(5000)
    told = _heapwhy.allocated_bytes()
    _heapwhy.allocated_stop()
    return told


def tracer(source):
    tracer = _heapwhy.LineTracer(source)
    tracer.add(work.__code__)
    tracer.enable()
    work()
    tracer.collection("start", {})
    tracer.collection("stop", {})
    tracer.disable()
    return tracer.results()


def stamps(stamper):
    stamper(work)()
    list(stamper(steps)())
    with stamper.timestamp("block"):
        work()
    stream = io.StringIO()
    stamper.show_results(stream)
    return stream.getvalue()


async def coroutine():
    return work()


async def asynchronous():
    yield work()


async def consume(generator):
    async for _ in generator:
        pass


def run(awaitable):
    """To its end, without the asyncio loop: nothing in it waits."""
    try:
        while True:
            awaitable.send(None)
    except StopIteration:
        pass


def decorated(profile):
    stream = io.StringIO()
    profile(work, stream=stream)()
    swallow(profile(fails, stream=stream))
    list(profile(steps, stream=stream)())
    run(profile(coroutine, stream=stream)())
    run(consume(profile(asynchronous, stream=stream)()))
    profile(stream=stream)(work)()
    profile(staticmethod(work), stream=stream)
    return stream.getvalue()


def recorder(*options):
    recorder = _heapwhy.Recorder(1, 1e-3, *options)
    recorder.start()
    return recorder.stop()


def log_file():
    file = memory_profiler.LogFile("leakcheck", True)
    file.write("text")
    file.flush()


CASES = {
    "LineProfiler": lambda: exercise(lines.LineProfiler()),
    "LineProfiler, rss": lambda: exercise(lines.LineProfiler("rss")),
    "LineProfiler, wrong": lambda: (swallow(lines.LineProfiler, "nonsense"), swallow(lines.LineProfiler().add_function, len)),
    "LineTracer": lambda: (tracer("python"), tracer("rss"), tracer(int)),
    "allocated": allocated,
    "allocated, paused": lambda: (_heapwhy.allocated_pause(), _heapwhy.allocated_resume()),
    "profile": lambda: decorated(heapwhy.profile),
    "TimeStamper": lambda: (stamps(lines.TimeStamper()), run(lines.TimeStamper()(coroutine)())),
    "Recorder": recorder,
    "Recorder, peak": lambda: recorder(True, True),
    "memory_profiler": lambda: (decorated_there(), stamps(memory_profiler.TimeStamper()),
                                memory_profiler.choose_backend("psutil"),
                                memory_profiler.show_results(memory_profiler.LineProfiler(), io.StringIO()),
                                memory_profiler.LineProfiler().add_function(len)),
    "memory_profiler.memory_usage": lambda: memory_profiler.memory_usage((work, ()), interval=1e-4),
    "memory_profiler.LogFile": log_file,
}


def decorated_there():
    stream = io.StringIO()
    memory_profiler.profile(work, stream)()
    memory_profiler.profile(stream=stream)(work)()
