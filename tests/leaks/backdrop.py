# SPDX-License-Identifier: Apache-2.0
"""What all programs of the corpus share: ordinary noise, a pace, and an end.

noise() starts a thread that does what a healthy service does all the time: short-lived requests,
a cache at its bound, a log ring. pace() and apace() drive the loop that leaks, or does not, at a
known rate, print READY once it has run for a while, and let the process die by itself.
"""
import asyncio
import collections
import signal
import threading
import time

LIFETIME_S = 120
WARM_UP_S = 0.7


class Request:
    def __init__(self, number):
        self.number = number
        self.path = "/api/v1/items/%d" % (number % 997)
        self.headers = {"host": "localhost", "x-request-id": "%08x" % number}

    def handle(self, cache):
        parts = [part.upper() for part in self.path.split("/")]
        found = cache.get(self.path)
        if found is None:
            found = cache[self.path] = {"parts": parts, "status": 200}
            if len(cache) > 150:
                cache.popitem(last=False)
        return found


def noise(per_second=120):
    """Starts the background; returns when its cache and its log have reached their bounds."""
    cache = collections.OrderedDict()
    log = collections.deque(maxlen=300)
    for number in range(1000):
        step(number, cache, log)
    worker = threading.Thread(target=keep_busy, args=(per_second, cache, log), name="housekeeping")
    worker.daemon = True
    worker.start()


def step(number, cache, log):
    answer = Request(number).handle(cache)
    log.append((number, time.time(), answer["status"]))


def keep_busy(per_second, cache, log):
    for number in pace(per_second, announce=False):
        step(1000 + number, cache, log)  # no small ints, which are shared


def ready():
    print("READY", flush=True)


def live_for_a_while():
    signal.alarm(LIFETIME_S)


def waits(per_second):
    """Yields how long to sleep before each step; late steps are made up for, up to a second."""
    due = time.monotonic()
    while True:
        now = time.monotonic()
        due = max(due, now - 1.0)
        yield max(0.0, due - now)
        due += 1.0 / per_second


def pace(per_second, announce=True):
    """for number in pace(100): ... runs the body 100 times a second, for ever."""
    if announce:
        live_for_a_while()
    warm = int(per_second * WARM_UP_S)
    for number, delay in enumerate(waits(per_second)):
        if delay:
            time.sleep(delay)
        yield number
        if announce and number == warm:
            ready()


async def apace(per_second):
    """The same for coroutines: async for number in apace(100): ..."""
    live_for_a_while()
    warm = int(per_second * WARM_UP_S)
    for number, delay in enumerate(waits(per_second)):
        await asyncio.sleep(delay)
        yield number
        if number == warm:
            ready()
