# SPDX-License-Identifier: Apache-2.0
import os
import tempfile

import heapwhy


class Session:
    pass


class Hub:
    def __init__(self):
        self.sessions = {}


os.chdir(tempfile.mkdtemp())
hub = Hub()
hub.sessions.update(("user-%d" % number, Session()) for number in range(3))
hub.sessions["admin"] = hub.sessions["user-1"]
callbacks = [(lambda who: lambda: who)(hub.sessions["user-1"])]
