#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A push service that leaks: the demo for heapwhy.

Clients connect, subscribe to a topic, get a few messages and leave. Most hang up without a word, and
then on_disconnect() returns before the subscriber is taken out of the hub. Everything else is
as it should be: the rooms are bounded, the cache is at its size, messages come and go.

    python3 examples/leaky_service.py &
    heapwhy PID

heapwhy's answer should name sys.modules['__main__'].hub._subscribers.
"""
import asyncio
import collections
import itertools
import os
import random
import sys
import time

CLIENTS_PER_SECOND = 60
TOPICS = ["news", "sports", "weather", "traffic"]


class Connection:
    """The service's end of a client's stream, here without a network."""

    def __init__(self, number):
        self.peer = "10.0.%d.%d:%d" % (number >> 8 & 255, number & 255, 40000 + number % 20000)
        self.opened = time.time()
        self.received = bytearray()
        self.is_open = True

    async def send(self, payload):
        self.received[:] = (self.received + payload)[-512:]
        await asyncio.sleep(0)

    def close(self):
        self.is_open = False


class Subscriber:
    def __init__(self, user, topic, conn):
        self.user = user
        self.topic = topic
        self.conn = conn
        self.delivered = 0

    async def deliver(self, message):
        if self.conn.is_open:
            await self.conn.send(message.encode())
            self.delivered += 1


class Room:
    """The latest messages of one topic, for those who join late."""

    def __init__(self, topic):
        self.topic = topic
        self.recent = collections.deque(maxlen=50)


class Hub:
    def __init__(self):
        self._subscribers = {}
        self.rooms = {topic: Room(topic) for topic in TOPICS}
        self.profiles = collections.OrderedDict()

    def subscribe(self, user, topic, conn):
        subscriber = self._subscribers[user] = Subscriber(user, topic, conn)
        return subscriber

    def profile(self, user):
        """A cache as it should be: two hundred entries, then the oldest goes."""
        found = self.profiles.setdefault(user, {"user": user, "language": "en"})
        if len(self.profiles) > 200:
            self.profiles.popitem(last=False)
        return found

    async def publish(self, subscriber, text):
        message = "%s: %s" % (subscriber.topic, text)
        self.rooms[subscriber.topic].recent.append(message)
        await subscriber.deliver(message)

    def on_disconnect(self, subscriber, said_goodbye):
        subscriber.conn.close()
        if not said_goodbye:
            return  # nothing to answer; and so the removal below never happens
        del self._subscribers[subscriber.user]


hub = Hub()


async def serve_client(number):
    user = "user-%d" % number
    conn = Connection(number)
    hub.profile(user)
    subscriber = hub.subscribe(user, random.choice(TOPICS), conn)
    for text in ("welcome", "first headline", "second headline"):
        await hub.publish(subscriber, text)
        await asyncio.sleep(random.uniform(0.01, 0.1))
    hub.on_disconnect(subscriber, said_goodbye=number % 4 == 0)


async def accept_clients():
    running = set()
    for number in itertools.count(1):
        task = asyncio.ensure_future(serve_client(number))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.sleep(1.0 / CLIENTS_PER_SECOND)


async def main():
    print("pid %d" % os.getpid(), flush=True)
    await accept_clients()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
