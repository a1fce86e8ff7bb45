# SPDX-License-Identifier: Apache-2.0
"""A plug-in base class notes each instance in a class attribute for a debug page."""
import backdrop


class Handler:
    registry = []

    def __init__(self, route):
        self.route = route
        Handler.registry.append(self)

    def run(self):
        return self.route.upper()


class UploadHandler(Handler):
    def __init__(self, route, size):
        super().__init__(route)
        self.size = size


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        UploadHandler("/upload/%d" % number, number * 1000).run()


if __name__ == "__main__":
    main()
