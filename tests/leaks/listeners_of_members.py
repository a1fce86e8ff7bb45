# SPDX-License-Identifier: Apache-2.0
"""Members of a club are kept in its register; that an event bus knows their methods adds little."""
import backdrop


class EventBus:
    def __init__(self):
        self.listeners = []


class Member:
    def __init__(self, name):
        self.name = name
        self.letters = ["welcome"]
        self.address = {"street": "Main", "number": name}

    def on_event(self, event):
        self.letters.append(event)


class Club:
    def __init__(self):
        self.members = {}
        self.bus = EventBus()

    def join(self, number):
        member = Member("member-%d" % number)
        self.members[member.name] = member
        self.bus.listeners.append(member.on_event)


club = Club()


def main():
    backdrop.noise()
    for number in backdrop.pace(60):
        club.join(number)


if __name__ == "__main__":
    main()
