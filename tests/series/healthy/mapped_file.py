# SPDX-License-Identifier: Apache-2.0
"""Reads through a mapped file of 240 MB, 2 MB a second: resident pages that are no memory of its own."""
import mmap
import tempfile
import time

with tempfile.TemporaryFile() as file:
    for _ in range(240):
        file.write(bytes(1_000_000))
    file.flush()
    time.sleep(25)
    view = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    while True:
        for at in range(0, len(view), 4096):
            view[at]
            if at % (4096 * 50) == 0:
                time.sleep(0.1)
