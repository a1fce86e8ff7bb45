# SPDX-License-Identifier: Apache-2.0
"""Ten megabytes at once, every twelve seconds."""
import time

import quiet

kept = []
quiet.wait()
while True:
    kept.append(b"x" * 10_000_000)
    time.sleep(12)
