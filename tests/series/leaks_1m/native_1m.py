# SPDX-License-Identifier: Apache-2.0
"""Quiet at first; then a megabyte a second that C code allocates and nobody frees."""
import ctypes
import time

import quiet

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
quiet.wait()
while True:
    for _ in range(25):
        libc.memset(libc.malloc(4000), 1, 4000)
    time.sleep(0.1)
