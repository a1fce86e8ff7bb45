# SPDX-License-Identifier: Apache-2.0
"""A cache whose entries live for one second and are swept as they expire."""
import collections
import time

import backdrop


class Answer:
    def __init__(self, question):
        self.question = question
        self.expires = time.monotonic() + 1.0


class TtlCache:
    def __init__(self):
        self.answers = {}
        self.order = collections.deque()

    def ask(self, question):
        self.sweep()
        answer = self.answers.get(question)
        if answer is None:
            answer = self.answers[question] = Answer(question)
            self.order.append(answer)
        return answer

    def sweep(self):
        now = time.monotonic()
        while self.order and self.order[0].expires < now:
            del self.answers[self.order.popleft().question]


resolver = TtlCache()


def main():
    backdrop.noise()
    for number, _ in zip(backdrop.pace(250, announce=False), range(300)):
        resolver.ask("early-%d.example.org" % number)
    for number in backdrop.pace(250):
        resolver.ask("host-%d.example.org" % number)


if __name__ == "__main__":
    main()
