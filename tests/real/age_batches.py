# SPDX-License-Identifier: Apache-2.0
"""Makes ten batches of objects, one after the other, with collections in between.

age_batches.py [young | full | freeze | unfreeze]
    young     collections of generations 0 and 1 only, as when a program runs
    full      a full collection after every other batch, too
    freeze    after five batches gc.collect() and gc.freeze(); collections as in full
    unfreeze  as freeze; at the end gc.unfreeze()

Each batch has a class of its own. Prints READY and waits.
"""
import gc
import sys
import time

BATCHES = 10
OBJECTS = 2000

way = sys.argv[1] if len(sys.argv) > 1 else "young"
kept = []
for number in range(BATCHES):
    kind = type("Batch%d" % number, (), {"__slots__": ("item", "__weakref__")})
    for _ in range(OBJECTS):
        one = kind()
        one.item = [one]
        kept.append(one)
    gc.collect(1 if number % 2 else 0)
    if way != "young" and number % 2:
        gc.collect()
    if way in ("freeze", "unfreeze") and number == BATCHES // 2 - 1:
        gc.collect()
        gc.freeze()
if way == "unfreeze":
    gc.unfreeze()

print("READY", flush=True)
while True:
    time.sleep(3600)
