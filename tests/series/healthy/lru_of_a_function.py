# SPDX-License-Identifier: Apache-2.0
"""functools.lru_cache with a bound that is reached within the first minute, and kept after."""
import functools
import random
import time


@functools.lru_cache(maxsize=2000)
def page(number):
    return "%d" % number * 5000


random.seed(2)
while True:
    for _ in range(20):
        page(random.randrange(2500))
    time.sleep(0.1)
