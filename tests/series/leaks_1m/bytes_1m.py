# SPDX-License-Identifier: Apache-2.0
"""Quiet at first; then a megabyte a second, in pieces of 100 kB."""
import time

import quiet

kept = []
quiet.wait()
while True:
    kept.append(b"x" * 100_000)
    time.sleep(0.1)
