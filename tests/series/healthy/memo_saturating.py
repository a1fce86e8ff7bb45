# SPDX-License-Identifier: Apache-2.0
"""Remembers what it has computed, of a limited number of different things."""
import random
import time

known = {}
random.seed(15)
while True:
    for _ in range(100):
        a, b = random.randrange(120), random.randrange(120)
        if (a, b) not in known:
            known[a, b] = [a * i + b for i in range(120)]
    time.sleep(0.1)
