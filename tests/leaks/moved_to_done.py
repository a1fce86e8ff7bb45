# SPDX-License-Identifier: Apache-2.0
"""Each job is taken out of the queue and noted as done, in one function; nobody reads the notes."""
import backdrop


class Job:
    def __init__(self, name):
        self.name = name
        self.state = "new"


class Worker:
    def __init__(self):
        self.pending = []
        self.done = []

    def submit(self, name):
        self.pending.append(Job(name))

    def work(self):
        job = self.pending.pop(0)
        job.state = "done"
        self.done.append(job)


worker = Worker()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        worker.submit("mail-%d" % number)
        worker.work()


if __name__ == "__main__":
    main()
