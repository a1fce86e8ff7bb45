# SPDX-License-Identifier: Apache-2.0
"""A unit of work that never ends: the session of an object mapper keeps each row it has loaded."""
import backdrop


class User:
    def __init__(self, ident):
        self.ident = ident
        self.name = "user-%d" % ident


class Session:
    def __init__(self):
        self.loaded = {}

    def load(self, cls, ident):
        key = cls, ident
        if key not in self.loaded:
            self.loaded[key] = cls(ident)
        return self.loaded[key]


session = Session()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        session.load(User, number + 1000)


if __name__ == "__main__":
    main()
