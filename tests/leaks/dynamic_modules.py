# SPDX-License-Identifier: Apache-2.0
"""A plug-in host makes a module for each script that a user uploads."""
import types

import backdrop


class Host:
    def __init__(self):
        self.scripts = {}

    def load(self, name, source):
        module = types.ModuleType(name)
        exec(source, module.__dict__)
        self.scripts[name] = module


host = Host()


def main():
    backdrop.noise()
    for number in backdrop.pace(50):
        host.load("script_%d" % number, "limit = %d" % (number + 1000))


if __name__ == "__main__":
    main()
