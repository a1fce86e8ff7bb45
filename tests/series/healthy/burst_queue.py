# SPDX-License-Identifier: Apache-2.0
"""A queue that bursts fill and a thread empties at its own pace."""
import queue
import random
import threading
import time

jobs = queue.Queue()


def drain():
    while True:
        jobs.get()
        time.sleep(0.002)


threading.Thread(target=drain, daemon=True).start()
random.seed(14)
while True:
    for _ in range(random.randrange(500, 4000)):
        jobs.put(bytes(10_000))
    time.sleep(random.uniform(6, 14))
