# SPDX-License-Identifier: Apache-2.0
"""A filter rebuilds the list of jobs each time, but leaves out only a third of them."""
import backdrop


class Job:
    def __init__(self, number):
        self.number = number


class Queue:
    def __init__(self):
        self.jobs = []

    def push(self, job):
        self.jobs.append(job)

    def sweep(self):
        self.jobs = [job for job in self.jobs if job.number % 3]


queue = Queue()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        queue.push(Job(number))
        queue.sweep()


if __name__ == "__main__":
    main()
