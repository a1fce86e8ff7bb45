# SPDX-License-Identifier: Apache-2.0
"""A job table whose finish() writes a report first; for half of the jobs that raises."""
import backdrop


class Job:
    def __init__(self, number):
        self.number = number
        self.lines = ["line %d" % n for n in range(number % 2 + 1)]


class JobTable:
    def __init__(self):
        self.running = {}
        self.failures = 0

    def start(self, number):
        self.running[number] = Job(number)

    def report(self, job):
        return job.lines[1].upper()

    def finish(self, number):
        self.report(self.running[number])
        del self.running[number]


table = JobTable()


def main():
    backdrop.noise()
    for number in backdrop.pace(160):
        table.start(number + 1000)
        try:
            table.finish(number + 1000)
        except IndexError:
            table.failures += 1


if __name__ == "__main__":
    main()
