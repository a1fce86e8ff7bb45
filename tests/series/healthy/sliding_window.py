# SPDX-License-Identifier: Apache-2.0
"""The last so many measurements: full within half a minute, then as many go as come."""
import collections
import time

window = collections.deque(maxlen=150_000)
number = 0
while True:
    for _ in range(500):
        number += 1
        window.append((number, float(number), "sensor %d" % (number % 50)))
    time.sleep(0.1)
