# SPDX-License-Identifier: Apache-2.0
"""One exception object is raised again and again, each time without its old traceback."""
import backdrop


class QueueFull(Exception):
    pass


QUEUE_FULL = QueueFull("try again later")


class Message:
    def __init__(self, number):
        self.number = number


def publish(number):
    message = Message(number)
    try:
        raise QUEUE_FULL.with_traceback(None)
    except QueueFull:
        return message.number


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        publish(number)


if __name__ == "__main__":
    main()
