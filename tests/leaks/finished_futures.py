# SPDX-License-Identifier: Apache-2.0
"""A batch server keeps the future of every job that its thread pool has finished long ago."""
import concurrent.futures

import backdrop


class Result:
    def __init__(self, number):
        self.number = number
        self.rows = [number] * 3


class Batch:
    def __init__(self):
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        self.jobs = []

    def submit(self, number):
        self.jobs.append(self.pool.submit(Result, number))


batch = Batch()


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        batch.submit(number)


if __name__ == "__main__":
    main()
