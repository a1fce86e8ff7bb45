# SPDX-License-Identifier: Apache-2.0
"""A rate limiter only reads its defaultdict, and each look-up of a new address adds an entry."""
import collections

import backdrop


class RateLimiter:
    def __init__(self):
        self.hits_by_address = collections.defaultdict(list)
        self.blocked = 0

    def allowed(self, address):
        if len(self.hits_by_address[address]) > 100:
            self.blocked += 1
            return False
        return True


limiter = RateLimiter()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        limiter.allowed("10.%d.%d.%d" % (number >> 16 & 255, number >> 8 & 255, number & 255))


if __name__ == "__main__":
    main()
