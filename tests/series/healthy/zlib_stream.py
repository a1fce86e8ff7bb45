# SPDX-License-Identifier: Apache-2.0
"""Packs and unpacks streams of different lengths."""
import os
import random
import time
import zlib

random.seed(12)
while True:
    data = os.urandom(50_000) * random.randrange(1, 300)
    packed = zlib.compress(data, 1)
    time.sleep(0.2)
    assert zlib.decompress(packed) == data
    del data, packed
    time.sleep(0.3)
