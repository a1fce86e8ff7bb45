# SPDX-License-Identifier: Apache-2.0
"""Entries live for twenty seconds; how many arrive wavers."""
import collections
import math
import random
import time

entries = collections.deque()
random.seed(13)
while True:
    now = time.monotonic()
    for _ in range(int(60 + 40 * math.sin(now / 12) + random.uniform(-20, 20))):
        entries.append((now + 20, b"x" * random.randrange(500, 8000)))
    while entries and entries[0][0] < now:
        entries.popleft()
    time.sleep(0.1)
