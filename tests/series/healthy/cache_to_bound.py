# SPDX-License-Identifier: Apache-2.0
"""A cache with a bound, asked for some keys much more often than for others: it fills ever more slowly."""
import collections
import random
import time

cache = collections.OrderedDict()
random.seed(1)
while True:
    for _ in range(40):
        key = int(random.expovariate(1 / 700))
        if key in cache:
            cache.move_to_end(key)
        else:
            cache[key] = b"x" * 20_000
        if len(cache) > 3000:
            cache.popitem(last=False)
    time.sleep(0.1)
