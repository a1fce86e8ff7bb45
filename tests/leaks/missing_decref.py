# SPDX-License-Identifier: Apache-2.0
"""A broken extension, played by ctypes: it takes a reference to each frame and never gives it back."""
import ctypes

import backdrop


class VideoFrame:
    def __init__(self, number):
        self.number = number
        self.pixels = bytearray(256)


def encode(frame):
    """What the C code would do: one Py_INCREF too many on the way out."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(frame))
    return len(frame.pixels)


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        encode(VideoFrame(number))


if __name__ == "__main__":
    main()
