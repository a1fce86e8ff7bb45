# SPDX-License-Identifier: Apache-2.0
"""A WeakValueDictionary would forget sessions, if a list of 'recent' ones let them go."""
import weakref

import backdrop


class Session:
    def __init__(self, number):
        self.number = number
        self.cart = {"total": number}


class Sessions:
    def __init__(self):
        self.by_number = weakref.WeakValueDictionary()
        self.recent = []

    def open(self, number):
        session = Session(number)
        self.by_number[number] = session
        self.recent.append(session)
        return session


sessions = Sessions()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        sessions.open(number)


if __name__ == "__main__":
    main()
