# SPDX-License-Identifier: Apache-2.0
"""A plug-in loader puts its folder on sys.path whenever it looks for plug-ins."""
import sys

import backdrop


def find_plugins(site):
    sys.path.append("/srv/plugins/%d" % site)
    return [path for path in sys.path[:3]]


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        find_plugins(number)


if __name__ == "__main__":
    main()
