# SPDX-License-Identifier: Apache-2.0
"""Quiet at first; then a megabyte a second of small objects."""
import time

import quiet

kept = {}
quiet.wait()
while True:
    for _ in range(250):
        kept[len(kept)] = ["session", len(kept), {"user": len(kept)}]
    time.sleep(0.1)
