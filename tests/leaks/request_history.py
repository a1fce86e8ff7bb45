# SPDX-License-Identifier: Apache-2.0
"""An HTTP application remembers every request for its admin page."""
import time

import backdrop


class Response:
    def __init__(self, status, body):
        self.status = status
        self.body = body


class RequestRecord:
    def __init__(self, method, path):
        self.method = method
        self.path = path
        self.started = time.time()
        self.response = None


class App:
    def __init__(self):
        self.debug = True
        self.history = []

    def handle(self, method, path):
        record = RequestRecord(method, path)
        record.response = Response(200, "ok " + path)
        if self.debug:
            self.history.append(record)
        return record.response


app = App()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        app.handle("GET", "/orders/%d" % number)


if __name__ == "__main__":
    main()
