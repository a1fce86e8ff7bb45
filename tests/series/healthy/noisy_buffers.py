# SPDX-License-Identifier: Apache-2.0
"""Forty buffers, each replaced at random times by one of random size."""
import random
import time

random.seed(11)
buffers = [b""] * 40
while True:
    for _ in range(3):
        buffers[random.randrange(40)] = b"x" * random.randrange(10_000, 3_000_000)
    time.sleep(random.expovariate(5))
