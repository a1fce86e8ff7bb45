# SPDX-License-Identifier: Apache-2.0
"""A push gateway keeps every session it has ever opened in a module dict."""
import backdrop

sessions = {}


class Session:
    def __init__(self, user, number):
        self.user = user
        self.token = "%016x" % (number * 2654435761)
        self.topics = ["news", "room-%d" % (number % 20)]
        self.closed = False

    def close(self):
        self.closed = True


def open_session(number):
    session = Session("user-%d" % number, number)
    sessions[session.token] = session
    return session


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        session = open_session(number)
        session.topics.append("direct")
        session.close()  # nobody removes it from sessions


if __name__ == "__main__":
    main()
