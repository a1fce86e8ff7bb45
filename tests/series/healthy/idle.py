# SPDX-License-Identifier: Apache-2.0
"""Does nothing at all."""
import time

while True:
    time.sleep(60)
