# SPDX-License-Identifier: Apache-2.0
"""Leaks a megabyte a second from its first second on."""
import time

import quiet

kept = []
quiet.say()
while True:
    kept.append(b"x" * 100_000)
    time.sleep(0.1)
