# SPDX-License-Identifier: Apache-2.0
"""Cyclic garbage that the collector frees every so often: a sawtooth of some 40 MB."""
import gc
import time


class Node:
    def __init__(self):
        self.me = self
        self.load = b"x" * 40_000


gc.set_threshold(1000, 1000, 1000)
while True:
    for _ in range(4):
        Node()
    time.sleep(0.1)
