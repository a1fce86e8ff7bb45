# SPDX-License-Identifier: Apache-2.0
"""Replaces its tables once a minute; for a moment both are there."""
import time

tables = None
while True:
    fresh = {}
    for part in range(10):
        fresh.update(("key %d" % i, ["value", i]) for i in range(part * 10_000, part * 10_000 + 10_000))
        time.sleep(0.1)
    tables = fresh
    del fresh
    time.sleep(50)
