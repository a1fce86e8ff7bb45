# SPDX-License-Identifier: Apache-2.0
"""The service of docs/python.md and of the README: a module of that name."""


class Session:
    __slots__ = ("name", "log", "state")

    def __init__(self, name):
        self.name, self.log, self.state = name, [], "state of " + name


class Hub:
    def __init__(self):
        self.sessions = {}


hub = Hub()
served = 0


def serve(count):
    """Each request opens a session; some are closed again."""
    global served
    for _ in range(count):
        served += 1
        hub.sessions["user-%d" % served] = Session("request %d" % served)
