# SPDX-License-Identifier: Apache-2.0
"""The ring of the old OrderedDict: a list that contains itself, made per call, gc off."""
import gc

import backdrop


def new_ring(key):
    root = []
    root[:] = [root, root, key]
    return root


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(200):
        new_ring("key-%d" % number)


if __name__ == "__main__":
    main()
