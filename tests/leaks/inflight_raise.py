# SPDX-License-Identifier: Apache-2.0
"""A gateway forgets a request after forwarding it, unless the forwarding raises."""
import contextlib

import backdrop


class Request:
    def __init__(self, ident):
        self.ident = ident


class Gateway:
    def __init__(self):
        self.inflight = {}

    def forward(self, request):
        self.inflight[request.ident] = request
        status = transmit(request)
        if status >= 500:
            raise ConnectionError(status)
        self.inflight.pop(request.ident)  # no finally: an error skips it
        return status


def transmit(request):
    return 503 if request.ident % 2 else 200


GATEWAY = Gateway()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        with contextlib.suppress(ConnectionError):
            GATEWAY.forward(Request(number))


if __name__ == "__main__":
    main()
