# SPDX-License-Identifier: Apache-2.0
"""One pickler writes all messages of a link, and its memo remembers each of them."""
import pickle

import backdrop


class Message:
    def __init__(self, number):
        self.number = number
        self.text = "message %d" % number


class Sink:
    def write(self, data):
        return len(data)


class Link:
    def __init__(self):
        self.pickler = pickle._Pickler(Sink(), 4)

    def send(self, message):
        self.pickler.dump(message)


link = Link()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        link.send(Message(number))


if __name__ == "__main__":
    main()
