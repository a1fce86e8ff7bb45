# SPDX-License-Identifier: Apache-2.0
"""A reconnect loop chains each failure to the one before, so the first is held by the last."""
import backdrop


class LinkDown(Exception):
    def __init__(self, attempt):
        super().__init__("attempt %d failed" % attempt)
        self.attempt = attempt


class Client:
    def __init__(self):
        self.last_error = None
        self.attempts = 0

    def dial(self):
        self.attempts += 1
        raise LinkDown(self.attempts)

    def reconnect(self):
        try:
            self.dial()
        except LinkDown as error:
            error.__cause__ = self.last_error
            self.last_error = error


client = Client()


def main():
    backdrop.noise()
    for _ in backdrop.pace(50):
        client.reconnect()


if __name__ == "__main__":
    main()
