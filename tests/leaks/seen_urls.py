# SPDX-License-Identifier: Apache-2.0
"""A crawler keeps each visited address in a set of strings, for ever."""
import backdrop


class Crawler:
    def __init__(self):
        self.visited = set()
        self.frontier = []

    def visit(self, url):
        if url in self.visited:
            return
        self.visited.add(url)
        self.frontier.append(url)
        if len(self.frontier) > 50:
            self.frontier.pop(0)


crawler = Crawler()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        crawler.visit("https://example.org/catalogue/article-%d/reviews?sort=date" % number)


if __name__ == "__main__":
    main()
