# SPDX-License-Identifier: Apache-2.0
"""What all programs of the corpus share: ordinary noise, a pace, and an end.

noise() starts a thread that does what a healthy service does all the time: short-lived requests,
a cache at its bound, a log ring. pace() and apace() drive the loop that leaks, or does not, at a
known rate, print READY once it has run for a while, and let the process die by itself.

Two variables of the environment make variants of every program: $HEAPWHY_CORPUS_NOISE multiplies
the noise, $HEAPWHY_CORPUS_RATE the pace.
"""
import asyncio
import collections
import os
import random
import signal
import threading
import time

NOISE = int(os.environ.get("HEAPWHY_CORPUS_NOISE", "1"))
RATE = float(os.environ.get("HEAPWHY_CORPUS_RATE", "1"))
LIFETIME_S = 240
WARM_UP_S = 0.7
VISIT_S = 0.5


class Request:
    def __init__(self, number):
        self.number = number
        self.path = "/api/v1/items/%d" % (number % (997 * NOISE))
        self.headers = {"host": "localhost", "x-request-id": "%08x" % number}

    def handle(self, cache):
        parts = [part.upper() for part in self.path.split("/")]
        found = cache.get(self.path)
        if found is None:
            found = cache[self.path] = {"parts": parts, "status": 200}
            if len(cache) > 150 * NOISE:
                cache.popitem(last=False)
        return found


def request_types():
    """The more noise, the more kinds of it."""
    return [Request] + [type("Request%d" % n, (Request,), {}) for n in range(1, NOISE)]


class Visitors:
    """With more noise than usual: who comes stays for a random time, so their number wavers."""

    def __init__(self):
        self.leaving = {}
        self.luck = random.Random(7)

    def begin(self, per_second):
        """As many as are there on the average."""
        for number in range(0, int(per_second * VISIT_S), 4):
            self.step(Request(number))

    def step(self, visitor):
        now = time.monotonic()
        if visitor.number % 4 == 0:
            self.leaving[visitor] = now + self.luck.expovariate(1 / VISIT_S)
        if visitor.number % 40 == 0:
            for gone in [one for one, when in self.leaving.items() if when < now]:
                del self.leaving[gone]


class Noise:
    def __init__(self):
        self.cache = collections.OrderedDict()
        self.log = collections.deque(maxlen=300 * NOISE)
        self.types = request_types()
        self.visitors = Visitors() if NOISE > 1 else None

    def step(self, number):
        request = self.types[number % len(self.types)](number)
        answer = request.handle(self.cache)
        self.log.append((number, time.time(), answer["status"]))
        return request

    def go_on(self, per_second):
        for number, delay in enumerate(waits(per_second)):
            time.sleep(delay)
            request = self.step(1000 * NOISE + number)  # no small ints, which are shared
            if self.visitors:
                self.visitors.step(request)


def noise(per_second=120):
    """Starts the background; returns when its cache and its log have reached their bounds."""
    background = Noise()
    for number in range(1000 * NOISE):
        background.step(number)
    if background.visitors:
        background.visitors.begin(per_second * NOISE)
    worker = threading.Thread(target=background.go_on, args=(per_second * NOISE,), name="housekeeping")
    worker.daemon = True
    worker.start()


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


def scaled(per_second):
    """The pace of this variant, for loops that pace() does not drive."""
    return per_second * RATE


def pace(per_second, announce=True):
    """for number in pace(100): ... runs the body 100 times a second, for ever."""
    if announce:
        live_for_a_while()
    warm = int(scaled(per_second) * WARM_UP_S)
    for number, delay in enumerate(waits(scaled(per_second))):
        if delay:
            time.sleep(delay)
        yield number
        if announce and number == warm:
            ready()


async def apace(per_second):
    """The same for coroutines: async for number in apace(100): ..."""
    live_for_a_while()
    warm = int(scaled(per_second) * WARM_UP_S)
    for number, delay in enumerate(waits(scaled(per_second))):
        await asyncio.sleep(delay)
        yield number
        if number == warm:
            ready()
