# SPDX-License-Identifier: Apache-2.0
"""A user directory indexed twice; log-out fails half-way and cleans neither index."""
import backdrop


class User:
    def __init__(self, number):
        self.number = number
        self.email = "user%d@example.org" % number
        self.roles = ["reader"]


class Directory:
    def __init__(self):
        self.by_number = {}
        self.by_email = {}

    def login(self, number):
        user = User(number)
        self.by_number[number] = user
        self.by_email[user.email] = user
        return user

    def logout(self, user):
        if "admin" not in user.roles:
            raise PermissionError("only admins may end a session")
        del self.by_number[user.number]
        del self.by_email[user.email]


directory = Directory()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        user = directory.login(number + 100000)
        try:
            directory.logout(user)
        except PermissionError:
            pass


if __name__ == "__main__":
    main()
