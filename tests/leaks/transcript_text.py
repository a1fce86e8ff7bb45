# SPDX-License-Identifier: Apache-2.0
"""A chat keeps its transcript as one text and adds to it: a new and longer str for every message."""
import backdrop


class Chat:
    def __init__(self):
        self.transcript = "begin\n" * 5000

    def say(self, text):
        self.transcript = self.transcript + text


chat = Chat()


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        chat.say("%d says what it has said before, at some length\n" % number * 60)


if __name__ == "__main__":
    main()
