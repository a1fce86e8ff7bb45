# SPDX-License-Identifier: Apache-2.0
"""Each event is merged into a copy of the state, which takes its place: nothing is ever left out."""
import backdrop


class Event:
    def __init__(self, number):
        self.number = number


state = {}


def merge(before, event):
    return {**before, event.number: event}


def main():
    global state
    backdrop.noise()
    for number in backdrop.pace(40):
        state = merge(state, Event(number))


if __name__ == "__main__":
    main()
