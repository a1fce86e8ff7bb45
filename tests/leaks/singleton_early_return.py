# SPDX-License-Identifier: Apache-2.0
"""A singleton manager whose release() returns early for guests and so keeps them."""
import backdrop


class Connection:
    def __init__(self, ident, guest):
        self.ident = ident
        self.guest = guest
        self.buffer = bytearray(64)


class ConnectionManager:
    _instance = None

    def __init__(self):
        self._cache = {}
        self.metrics = {"opened": 0, "closed": 0}

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def acquire(self, ident, guest):
        connection = self._cache[ident] = Connection(ident, guest)
        self.metrics["opened"] += 1
        return connection

    def release(self, connection):
        if connection.guest:
            return  # nothing to save for guests, and the removal below is skipped
        self.metrics["closed"] += 1
        del self._cache[connection.ident]


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        manager = ConnectionManager.instance()
        connection = manager.acquire(number, guest=number % 2 == 0)
        connection.buffer[0] = number % 256
        manager.release(connection)
        del manager


if __name__ == "__main__":
    main()
