# SPDX-License-Identifier: Apache-2.0
"""Reads documents of very different sizes and forgets them."""
import json
import random
import time

random.seed(8)
while True:
    size = int(random.paretovariate(0.9) * 200)
    text = json.dumps([{"id": i, "tags": ["a", "b", str(i)]} for i in range(min(size, 60_000))])
    document = json.loads(text)
    time.sleep(0.15)
    del document, text
