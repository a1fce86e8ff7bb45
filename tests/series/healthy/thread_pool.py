# SPDX-License-Identifier: Apache-2.0
"""A pool of threads, each with buffers of its own; the work comes in waves."""
import concurrent.futures
import math
import random
import time


def work(count):
    data = [b"x" * random.randrange(100, 20_000) for _ in range(count)]
    time.sleep(random.uniform(0.01, 0.2))
    return sum(map(len, data))


random.seed(6)
with concurrent.futures.ThreadPoolExecutor(16) as pool:
    while True:
        load = 2 + 6 * (1 + math.sin(time.monotonic() / 8))
        list(pool.map(work, [200] * int(load)))
        time.sleep(0.05)
