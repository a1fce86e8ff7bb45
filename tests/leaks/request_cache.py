# SPDX-License-Identifier: Apache-2.0
"""A renderer caches pages by the full query string, which no two requests share."""
import hashlib

import backdrop


class Page:
    __slots__ = ("query", "etag", "body")

    def __init__(self, query):
        self.query = query
        self.etag = hashlib.md5(query.encode()).hexdigest()
        self.body = "<html>" + query * 5 + "</html>"


class Renderer:
    def __init__(self):
        self.hits = 0
        self.pages = {}

    def render(self, query):
        page = self.pages.get(query)
        if page is None:
            page = self.pages[query] = Page(query)
        else:
            self.hits += 1
        return page.body


class Application:
    def __init__(self):
        self.renderer = Renderer()


app = Application()


def main():
    backdrop.noise()
    for number in backdrop.pace(150):
        app.renderer.render("q=shoes&session=%d&page=1" % number)
        app.renderer.render("q=shoes&session=%d&page=1" % (number % 10))


if __name__ == "__main__":
    main()
