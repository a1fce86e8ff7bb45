# SPDX-License-Identifier: Apache-2.0
"""An event bus holds bound methods of chat rooms that were closed long ago."""
import backdrop


class EventBus:
    def __init__(self):
        self._listeners = []

    def subscribe(self, callback):
        self._listeners.append(callback)

    def publish(self, event):
        for callback in self._listeners[-5:]:
            callback(event)


class ChatRoom:
    def __init__(self, name):
        self.name = name
        self.transcript = ["room opened"]
        bus.subscribe(self.on_event)

    def on_event(self, event):
        self.transcript = self.transcript[-3:] + [event]

    def close(self):
        self.transcript.clear()


bus = EventBus()


def main():
    backdrop.noise()
    for number in backdrop.pace(120):
        room = ChatRoom("room-%d" % number)
        bus.publish("tick")
        room.close()


if __name__ == "__main__":
    main()
