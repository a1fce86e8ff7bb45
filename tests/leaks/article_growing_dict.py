# SPDX-License-Identifier: Apache-2.0
"""A dict of decoded messages into which things are put and from which nothing is ever deleted."""
import json

import backdrop

received = {}


def handle(number):
    text = json.dumps({"id": number, "user": "user-%d" % number, "tags": ["a", "b", str(number)]})
    received["message-%d" % number] = json.loads(text)


if __name__ == "__main__":
    backdrop.noise()
    for number in backdrop.pace(100):
        handle(number)
