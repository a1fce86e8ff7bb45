# SPDX-License-Identifier: Apache-2.0
"""A decoder in C, played by ctypes: each frame of a film gets a mapping, which nobody unmaps."""
import ctypes
import mmap

import backdrop

LIBC = ctypes.CDLL(None)
LIBC.mmap.restype = ctypes.c_void_p
LIBC.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
FRAME_BYTES = 64 * 1024


def decode(film):
    """What the C code does: the mapping is lost when it returns."""
    frame = LIBC.mmap(None, FRAME_BYTES, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    ctypes.memset(frame, 0xA5, FRAME_BYTES)
    return len(film) + FRAME_BYTES


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        decode(b"%d" % number)


if __name__ == "__main__":
    main()
