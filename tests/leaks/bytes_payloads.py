# SPDX-License-Identifier: Apache-2.0
"""A thumbnail store keeps a few large blobs a second: little by count, much by size."""
import backdrop


class ThumbnailStore:
    def __init__(self):
        self.blobs = {}
        self.sizes = [0] * 16

    def put(self, name, data):
        self.blobs[name] = data
        self.sizes[len(name) % 16] = len(data)


store = ThumbnailStore()


def main():
    backdrop.noise()
    for number in backdrop.pace(30):
        data = b"\x89PNG" + bytes(4000) + b"%d" % number
        store.put("image-%d.png" % number, data)


if __name__ == "__main__":
    main()
