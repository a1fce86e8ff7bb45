# SPDX-License-Identifier: Apache-2.0
"""A job every half minute: reads rows for some seconds, works on them, lets them go."""
import random
import time

random.seed(3)
while True:
    rows = []
    for _ in range(random.randrange(20, 40)):
        rows.extend({"id": i, "name": "row %d" % i} for i in range(5000))
        time.sleep(0.1)
    rows.sort(key=lambda row: row["name"])
    time.sleep(5)
    del rows
    time.sleep(random.randrange(15, 30))
