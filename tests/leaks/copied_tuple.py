# SPDX-License-Identifier: Apache-2.0
"""An immutable history: each event makes a longer tuple, so the container changes its address."""
import backdrop


class Event:
    def __init__(self, number):
        self.number = number
        self.kind = "moved"


class Document:
    def __init__(self):
        self.events = ()

    def apply(self, event):
        self.events = self.events + (event,)


document = Document()


def main():
    backdrop.noise()
    for number in backdrop.pace(80):
        document.apply(Event(number))


if __name__ == "__main__":
    main()
