# SPDX-License-Identifier: Apache-2.0
"""Sorts runs of numbers and merges them, as large as memory allows it."""
import heapq
import random
import time

random.seed(9)
while True:
    runs = []
    for _ in range(8):
        runs.append(sorted(random.random() for _ in range(60_000)))
        time.sleep(0.4)
    total = 0.0
    for number, value in enumerate(heapq.merge(*runs)):
        total += value
        if number % 40_000 == 0:
            time.sleep(0.1)
    del runs
    time.sleep(2)
