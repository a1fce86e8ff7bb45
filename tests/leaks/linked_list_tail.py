# SPDX-License-Identifier: Apache-2.0
"""A message log appends at the tail of a linked list; the head stays where it began."""
import backdrop


class Message:
    __slots__ = ("text", "next")

    def __init__(self, text):
        self.text = text
        self.next = None


class Log:
    def __init__(self):
        self.head = self.tail = Message("start")
        self.length = 0

    def append(self, text):
        self.tail.next = Message(text)
        self.tail = self.tail.next
        self.length += 1


log = Log()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        log.append("message %d" % number)


if __name__ == "__main__":
    main()
