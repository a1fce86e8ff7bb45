# SPDX-License-Identifier: Apache-2.0
"""Jobs of 30 MB come and go; then a leak of a megabyte a second begins between them."""
import time

import quiet

kept = []
begin = time.monotonic()
told = False
turn = 0
job = []
while True:
    turn += 1
    if turn % 150 == 0:
        job = [b"x" * 300_000 for _ in range(100)]
    if turn % 150 == 30:
        job = []
    if time.monotonic() - begin > 60:
        if not told:
            quiet.say()
        told = True
        kept.append(b"x" * 100_000)
    time.sleep(0.1)
