# SPDX-License-Identifier: Apache-2.0
"""A bounded cache that is still far from its stated bound."""
import backdrop


class Template:
    def __init__(self, name):
        self.name = name
        self.parts = name.split("/")


class TemplateCache:
    def __init__(self, max_entries):
        self.max_entries = max_entries
        self.entries = {}

    def get(self, name):
        found = self.entries.get(name)
        if found is None:
            if len(self.entries) >= self.max_entries:
                self.entries.pop(next(iter(self.entries)))
            found = self.entries[name] = Template(name)
        return found


templates = TemplateCache(5000)


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        templates.get("pages/shop/item-%d" % number)


if __name__ == "__main__":
    main()
