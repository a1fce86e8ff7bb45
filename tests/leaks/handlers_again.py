# SPDX-License-Identifier: Apache-2.0
"""A new lambda for each request captures nothing, but the list of hooks keeps every one."""
import backdrop


class Application:
    def __init__(self):
        self.teardown_hooks = []
        self.handled = 0

    def handle(self):
        self.teardown_hooks.append(lambda error: error is None)
        self.handled += 1


application = Application()


def main():
    backdrop.noise()
    for _ in backdrop.pace(150):
        application.handle()


if __name__ == "__main__":
    main()
