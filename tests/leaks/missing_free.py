# SPDX-License-Identifier: Apache-2.0
"""A codec in C, played by ctypes: each picture gets a work buffer, which nobody frees."""
import ctypes

import backdrop

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
HEADER = b"scanline buffer\0"
BUFFER_BYTES = 9000


def encode(picture):
    """What the C code does: its buffer is lost when it returns."""
    buffer = LIBC.malloc(BUFFER_BYTES)
    ctypes.memset(buffer, 0xA5, BUFFER_BYTES)
    ctypes.memmove(buffer, HEADER, len(HEADER))
    return len(picture) + BUFFER_BYTES


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        encode(b"%d" % number)


if __name__ == "__main__":
    main()
