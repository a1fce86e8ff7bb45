# SPDX-License-Identifier: Apache-2.0
"""Retry callbacks are closures that capture the whole upload; the registry keeps them all."""
import backdrop


class Upload:
    def __init__(self, number):
        self.number = number
        self.body = b"x" * 2000 + b"%d" % number


class Scheduler:
    def __init__(self):
        self.on_shutdown = []
        self.done = 0

    def at_shutdown(self, callback):
        self.on_shutdown.append(callback)


scheduler = Scheduler()


def accept(number):
    upload = Upload(number)

    def retry():
        return len(upload.body)

    scheduler.at_shutdown(retry)
    scheduler.done += retry() > 0


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        accept(number)


if __name__ == "__main__":
    main()
