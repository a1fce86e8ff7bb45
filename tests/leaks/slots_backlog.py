# SPDX-License-Identifier: Apache-2.0
"""Everything between the module and the leaking list uses __slots__; there is no __dict__."""
import backdrop


class Task:
    __slots__ = ("name", "attempts")

    def __init__(self, name):
        self.name = name
        self.attempts = []


class Queue:
    __slots__ = ("backlog", "dead_letters", "limit")

    def __init__(self, limit):
        self.limit = limit
        self.backlog = []
        self.dead_letters = []

    def reject(self, task):
        task.attempts.append("failed")
        self.dead_letters.append(task)


class Broker:
    __slots__ = ("queue",)

    def __init__(self):
        self.queue = Queue(100)


broker = Broker()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        broker.queue.reject(Task("mail-%d" % number))


if __name__ == "__main__":
    main()
