# SPDX-License-Identifier: Apache-2.0
"""A server keeps the Thread of each request, as if somebody were to join it."""
import threading

import backdrop


class Job:
    def __init__(self, number):
        self.number = number
        self.answer = None


class Server:
    def __init__(self):
        self.threads = []

    def run(self, job):
        job.answer = "done"

    def handle(self, number):
        thread = threading.Thread(target=self.run, args=(Job(number),))
        thread.start()
        self.threads.append(thread)


server = Server()


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        server.handle(number)


if __name__ == "__main__":
    main()
