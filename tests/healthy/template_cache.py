# SPDX-License-Identifier: Apache-2.0
"""A template cache: sixty templates, each made when it is first asked for."""
import string

import backdrop


class Renderer:
    def __init__(self):
        self.cache = {}

    def render(self, name, who):
        template = self.cache.get(name)
        if template is None:
            template = self.cache[name] = string.Template("Dear $who, " + name * 20)
        return template.substitute(who=who)


renderer = Renderer()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        renderer.render("page-%d" % (number % 60), "user-%d" % number)


if __name__ == "__main__":
    main()
