# SPDX-License-Identifier: Apache-2.0
"""Each view registers a lambda whose default is the view, and never removes it."""
import backdrop


class View:
    def __init__(self, handlers):
        self.rows = ["row"] * 8
        handlers.append(lambda event, self=self: self.draw(event))

    def draw(self, event):
        return len(self.rows)


class Model:
    def __init__(self):
        self.handlers = []


model = Model()


def main():
    backdrop.noise()
    for _number in backdrop.pace(80):
        View(model.handlers)


if __name__ == "__main__":
    main()
