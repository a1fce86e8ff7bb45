# SPDX-License-Identifier: Apache-2.0
"""A producer works in bursts; the consumer catches up in between."""
import queue
import threading
import time

import backdrop


class Message:
    def __init__(self, number):
        self.number = number
        self.body = "body %d" % number


class Mailer:
    def __init__(self):
        self.outbox = queue.Queue()
        self.sent = 0

    def deliver(self):
        while True:
            message = self.outbox.get()
            self.sent += len(message.body) > 0
            time.sleep(0.003)


mailer = Mailer()


def main():
    backdrop.noise()
    threading.Thread(target=mailer.deliver, name="mailer", daemon=True).start()
    for number in backdrop.pace(10):
        if number % 12 == 0:
            for n in range(120):
                mailer.outbox.put(Message(number + n))


if __name__ == "__main__":
    main()
