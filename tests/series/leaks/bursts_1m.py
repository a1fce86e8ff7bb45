# SPDX-License-Identifier: Apache-2.0
"""A megabyte a second on average, but only for five seconds of every ten."""
import time

import quiet

kept = []
quiet.wait()
while True:
    for _ in range(50):
        kept.append(b"x" * 200_000)
        time.sleep(0.1)
    time.sleep(5)
