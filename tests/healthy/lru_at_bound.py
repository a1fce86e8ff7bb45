# SPDX-License-Identifier: Apache-2.0
"""A hand-made LRU cache at its bound: each new entry evicts the oldest."""
import collections

import backdrop


class Profile:
    def __init__(self, user):
        self.user = user
        self.settings = {"theme": "dark", "size": len(user)}


class ProfileCache:
    def __init__(self, max_entries):
        self.max_entries = max_entries
        self.entries = collections.OrderedDict()

    def get(self, user):
        profile = self.entries.get(user)
        if profile is None:
            profile = self.entries[user] = Profile(user)
            if len(self.entries) > self.max_entries:
                self.entries.popitem(last=False)
        else:
            self.entries.move_to_end(user)
        return profile


cache = ProfileCache(500)


def main():
    for number in range(600):
        cache.get("early-%d" % number)
    backdrop.noise()
    for number in backdrop.pace(200):
        cache.get("user-%d" % number)


if __name__ == "__main__":
    main()
