# SPDX-License-Identifier: Apache-2.0
"""A webhook receiver archives decoded JSON bodies as nested dicts."""
import json

import backdrop


class Archive:
    def __init__(self):
        self.documents = []

    def store(self, document):
        self.documents.append(document)


archive = Archive()


def body(number):
    return json.dumps({
        "id": "evt-%d" % number,
        "actor": {"name": "user-%d" % number, "roles": ["a", "b"]},
        "change": {"before": {"stock": number}, "after": {"stock": number + 1}},
    })


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        archive.store(json.loads(body(number)))


if __name__ == "__main__":
    main()
