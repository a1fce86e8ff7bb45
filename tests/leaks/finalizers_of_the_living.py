# SPDX-License-Identifier: Apache-2.0
"""Each handle registers a clean-up with its whole path list; handles are kept open 'for reuse'."""
import weakref

import backdrop

handles = []


class Handle:
    __slots__ = ("__weakref__",)


def remove(paths):
    return len(paths)


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        handle = Handle()
        handles.append(handle)
        weakref.finalize(handle, remove, ["/tmp/%d/%d" % (number, n) for n in range(10)]).atexit = False


if __name__ == "__main__":
    main()
