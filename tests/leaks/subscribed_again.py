# SPDX-License-Identifier: Apache-2.0
"""A widget subscribes its refresh() again on every refresh; the bus has one method a time of it."""
import backdrop


class EventBus:
    def __init__(self):
        self._listeners = {"changed": []}

    def subscribe(self, event, callback):
        self._listeners[event].append(callback)

    def publish(self, event):
        for callback in self._listeners[event][-2:]:
            callback()


class Chart:
    def __init__(self, name):
        self.name = name
        self.drawn = 0

    def draw(self):
        bus.subscribe("changed", self.refresh)

    def refresh(self):
        self.drawn += 1


bus = EventBus()
charts = [Chart(name) for name in ("load", "memory", "disk")]


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        charts[number % 3].draw()
        bus.publish("changed")


if __name__ == "__main__":
    main()
