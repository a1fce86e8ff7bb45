# SPDX-License-Identifier: Apache-2.0
"""A schema library makes a new class for each response and registers it by name."""
import backdrop


class Schema:
    registry = {}

    def validate(self, record):
        return set(record) == set(self.fields)


def schema_for(name, fields):
    made = type(name, (Schema,), {"fields": tuple(fields)})
    Schema.registry[name] = made
    return made


def main():
    backdrop.noise()
    for number in backdrop.pace(40):
        record = {"id": number, "name": "x"}
        schema_for("Response%d" % number, record)().validate(record)


if __name__ == "__main__":
    main()
