# SPDX-License-Identifier: Apache-2.0
"""One exception object is made at import and raised again and again: its traceback only grows."""
import backdrop


class QueueFull(Exception):
    pass


QUEUE_FULL = QueueFull("try again later")


class Message:
    def __init__(self, number):
        self.number = number
        self.body = b"m" * 300 + b"%d" % number


def enqueue(message):
    if message.number >= 0:
        raise QUEUE_FULL


def publish(number):
    message = Message(number)
    try:
        enqueue(message)
    except QueueFull:
        pass


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        publish(number)


if __name__ == "__main__":
    main()
