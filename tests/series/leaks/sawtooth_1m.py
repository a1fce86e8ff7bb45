# SPDX-License-Identifier: Apache-2.0
"""A sawtooth of 20 MB every six seconds, and below it a leak of a megabyte a second."""
import mmap
import time

import quiet

kept = []
tooth = []
turn = 0
while True:
    turn += 1
    block = mmap.mmap(-1, 333_000)
    block.write(b"x" * 333_000)
    tooth.append(block)
    if len(tooth) == 60:
        for block in tooth:
            block.close()
        tooth.clear()
    if turn == 450:
        quiet.say()
    if turn > 450:
        kept.append(b"x" * 100_000)
    time.sleep(0.1)
