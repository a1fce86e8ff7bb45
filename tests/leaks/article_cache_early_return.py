# SPDX-License-Identifier: Apache-2.0
"""The example of many articles: an object goes into a list, and an early return skips its removal."""
import backdrop

_cache = []


class OBJ(object):
    pass


def func_to_leak():
    o = OBJ()
    _cache.append(o)
    # do something with o, then remove it from _cache

    if True:  # this seems ugly, but it always exists
        return
    _cache.remove(o)


if __name__ == "__main__":
    backdrop.noise()
    for _ in backdrop.pace(100):
        func_to_leak()
