# SPDX-License-Identifier: Apache-2.0
"""A sawtooth of 20 MB every six seconds, and below it a leak of a megabyte a second."""
import time

import quiet

kept = []
tooth = []
turn = 0
while True:
    turn += 1
    tooth.append(b"x" * 333_000)
    if len(tooth) == 60:
        tooth.clear()
    if turn > 450:
        if turn == 451:
            quiet.say()
        kept.append(b"x" * 100_000)
    time.sleep(0.1)
