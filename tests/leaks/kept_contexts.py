# SPDX-License-Identifier: Apache-2.0
"""A tracer copies the context of each request to run a late callback in it; values come along."""
import contextvars

import backdrop


class Request:
    def __init__(self, number):
        self.number = number
        self.body = b"b" * 200 + b"%d" % number


current = contextvars.ContextVar("current_request")


class Tracer:
    def __init__(self):
        self.contexts = []

    def note(self):
        self.contexts.append(contextvars.copy_context())


tracer = Tracer()


def handle(number):
    token = current.set(Request(number))
    tracer.note()
    current.reset(token)


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        handle(number)


if __name__ == "__main__":
    main()
