# SPDX-License-Identifier: Apache-2.0
"""A lock for each account that was ever updated stays in a defaultdict."""
import asyncio
import collections

import backdrop


class Accounts:
    def __init__(self):
        self.locks = collections.defaultdict(asyncio.Lock)
        self.updates = 0

    async def update(self, account):
        async with self.locks[account]:
            self.updates += 1


accounts = Accounts()


async def update_all():
    for number in backdrop.pace(80):
        await accounts.update("account-%d" % number)


def main():
    backdrop.noise()
    asyncio.run(update_all())


if __name__ == "__main__":
    main()
