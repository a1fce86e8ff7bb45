# SPDX-License-Identifier: Apache-2.0
"""Hands work to processes that are replaced after some tasks; what is recorded is the one that hands out."""
import multiprocessing
import time


def work(number):
    data = list(range(100_000 + number % 7 * 50_000))
    time.sleep(0.2)
    return sum(data)


if __name__ == "__main__":
    with multiprocessing.Pool(2, maxtasksperchild=20) as pool:
        number = 0
        while True:
            results = pool.map(work, range(number, number + 6))
            number += 6
            time.sleep(0.5)
