# SPDX-License-Identifier: Apache-2.0
"""A server enters the lock of each upload into one exit stack, which ends with the server."""
import contextlib

import backdrop


class Upload:
    def __init__(self, number):
        self.name = "upload-%d" % number
        self.parts = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.parts.clear()


class Server:
    def __init__(self):
        self.resources = contextlib.ExitStack()


server = Server()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        server.resources.enter_context(Upload(number))


if __name__ == "__main__":
    main()
