# SPDX-License-Identifier: Apache-2.0
"""Temporary directories register functools.partial clean-ups that are never unregistered."""
import functools

import backdrop


class TemporaryArea:
    def __init__(self, number):
        self.path = "/tmp/area-%d" % number
        self.files = ["part-%d" % n for n in range(3)]


def clean(area, force):
    area.files.clear()
    return force


class ExitHooks:
    def __init__(self):
        self.hooks = []

    def register(self, function, *args, **kwargs):
        self.hooks.append(functools.partial(function, *args, **kwargs))


exit_hooks = ExitHooks()


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        area = TemporaryArea(number)
        exit_hooks.register(clean, area, force=True)


if __name__ == "__main__":
    main()
