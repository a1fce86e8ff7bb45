# SPDX-License-Identifier: Apache-2.0
"""An audit function collects in its default argument, which is one list for all calls."""
import backdrop


class Change:
    def __init__(self, user, field):
        self.user = user
        self.field = field


def note_change(user, field, changes=[]):
    changes.append(Change(user, field))
    return changes[-1]


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        note_change("user-%d" % number, "email")


if __name__ == "__main__":
    main()
