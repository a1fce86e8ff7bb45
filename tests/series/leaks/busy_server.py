# SPDX-License-Identifier: Apache-2.0
"""Requests of many sizes at random times; one in ten is kept, about 300 kB a second."""
import random
import time

import quiet

random.seed(20)
kept = []
begin = time.monotonic()
told = False
while True:
    request = b"x" * random.randrange(10_000, 300_000)
    answer = [request + b"x" for _ in range(random.randrange(1, 20))]
    if time.monotonic() - begin > 45:
        if not told:
            quiet.say()
        told = True
        if random.random() < 0.1:
            kept.append(request)
    time.sleep(random.expovariate(20))
    del answer
