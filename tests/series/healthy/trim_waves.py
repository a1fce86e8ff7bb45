# SPDX-License-Identifier: Apache-2.0
"""Many blocks of the C library come and go; what is free goes back only when it is trimmed."""
import ctypes
import random
import time

libc = ctypes.CDLL(None)
random.seed(4)
while True:
    blocks = []
    for _ in range(80):
        blocks.extend(b"x" * random.randrange(1000, 60_000) for _ in range(10))
        time.sleep(0.05)
    kept = blocks[::50]
    del blocks
    time.sleep(8)
    del kept
    libc.malloc_trim(0)
    time.sleep(3)
