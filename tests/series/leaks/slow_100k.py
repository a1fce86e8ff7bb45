# SPDX-License-Identifier: Apache-2.0
"""Quiet at first; then 100 kB a second."""
import time

import quiet

kept = []
quiet.wait()
while True:
    kept.append(b"x" * 20_000)
    time.sleep(0.2)
