# SPDX-License-Identifier: Apache-2.0
"""An audit trail in a deque(maxlen=1000) that has long been full."""
import collections

import backdrop


class AuditEvent:
    __slots__ = ("actor", "action")

    def __init__(self, actor, action):
        self.actor = actor
        self.action = action


trail = collections.deque(maxlen=1000)


def note(number):
    trail.append(AuditEvent("user-%d" % number, "login"))


def main():
    for number in range(1200):
        note(number)
    backdrop.noise()
    for number in backdrop.pace(300):
        note(number)


if __name__ == "__main__":
    main()
