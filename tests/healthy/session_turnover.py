# SPDX-License-Identifier: Apache-2.0
"""Users log in and out; about two hundred are there at any time, each for a second or so."""
import collections

import backdrop


class Session:
    def __init__(self, number):
        self.number = number
        self.user = "user-%d" % number
        self.basket = []


class SessionStore:
    def __init__(self):
        self.by_number = {}
        self.by_user = {}

    def login(self, number):
        session = Session(number)
        self.by_number[number] = session
        self.by_user[session.user] = session

    def logout(self, number):
        session = self.by_number.pop(number)
        del self.by_user[session.user]


store = SessionStore()


def main():
    online = collections.deque()
    for number in range(200):
        store.login(number)
        online.append(number)
    backdrop.noise()
    for number in backdrop.pace(150):
        store.login(200 + number)
        online.append(200 + number)
        store.logout(online.popleft())


if __name__ == "__main__":
    main()
