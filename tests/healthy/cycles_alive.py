# SPDX-License-Identifier: Apache-2.0
"""gc is off, but the cycles are alive, bounded, and broken by close() when they are done."""
import collections
import gc

import backdrop


class Session:
    def __init__(self, number):
        self.number = number
        self.handlers = {"chat": self.on_chat}
        self.parts = [Part(self) for _ in range(2)]

    def on_chat(self):
        pass

    def close(self):
        self.handlers.clear()
        del self.parts[:]


class Part:
    def __init__(self, session):
        self.session = session


def main():
    gc.collect()
    gc.disable()
    backdrop.noise()
    sessions = collections.OrderedDict()
    for number in range(100):
        sessions[number] = Session(number)
    for number in backdrop.pace(60):
        sessions[number + 100] = Session(number + 100)
        sessions.popitem(last=False)[1].close()


if __name__ == "__main__":
    main()
