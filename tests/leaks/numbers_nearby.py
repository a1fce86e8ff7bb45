# SPDX-License-Identifier: Apache-2.0
"""Requests that are refused stay among the active ones; every number nearby bounds something else."""
import json  # noqa: F401 (its scanner, like many a module, has names and numbers of its own)
import zipimport  # noqa: F401

import backdrop

CHUNK = 1024


class Request:
    def __init__(self, number):
        self.number = number
        self.body = b"x" * (6000 if number % 2 else 100)


class Server:
    def __init__(self):
        self.data = {}
        self.max_body = 4096
        self.limit = 3000

    def begin(self, request):
        self.data[request.number] = request

    def finish(self, request):
        if len(request.body) > self.max_body or len(request.body) > 4096 + CHUNK:
            return 413
        self.data.pop(request.number)
        return 200


server = Server()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        request = Request(number)
        server.begin(request)
        server.finish(request)


if __name__ == "__main__":
    main()
