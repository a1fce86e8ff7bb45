# SPDX-License-Identifier: Apache-2.0
"""A day in eighty seconds: sessions come and go, between 20 and 80 MB of them."""
import collections
import math
import time

sessions = collections.deque()
begin = time.monotonic()
while True:
    wanted = 50 - 30 * math.cos(2 * math.pi * (time.monotonic() - begin) / 80)
    while len(sessions) < wanted * 50:
        sessions.append([bytes(200) for _ in range(90)])
    while len(sessions) > wanted * 50:
        sessions.popleft()
    time.sleep(0.1)
