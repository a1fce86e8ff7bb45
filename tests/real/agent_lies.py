# SPDX-License-Identifier: Apache-2.0
"""Writes nonsense into the agent's table and columns, then waits: agent_lies.py SEED; $AGENT_LIES is the library."""
import ctypes
import os
import random
import sys
import time

SEED = int(sys.argv[1])
WORDS = [0, 1, 2 ** 17, 2 ** 32 - 1, 2 ** 63, 2 ** 64 - 1, 4096, id(SEED)]
kept = [bytes(1000) for _ in range(2000)]
table = (ctypes.c_uint64 * 14).in_dll(ctypes.CDLL(os.environ["AGENT_LIES"]), "hw_agent_table")
choose = random.Random(SEED)
places = {"live": (table[3], 24 * 2000 // 8), "sites": (table[5], 16 * 60 // 8)}
if SEED % 3 == 0:  # the table itself, from the rate on: the agent works with its own pointers
    for _ in range(2):
        table[choose.randrange(2, 9)] = choose.choice(WORDS)
else:
    address, words = places["live" if SEED % 3 == 1 else "sites"]
    for _ in range(300):
        place = address + 8 * choose.randrange(2, words)
        ctypes.c_uint64.from_address(place).value = choose.choice(WORDS + [choose.getrandbits(64)])
os.write(1, b"READY\n")
time.sleep(600)
