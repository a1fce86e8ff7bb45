# SPDX-License-Identifier: Apache-2.0
"""A game server keeps every move of every player in the player's own history; players come and go."""
import backdrop


class Move:
    def __init__(self, number):
        self.number = number
        self.what = "move %d" % number


class Player:
    def __init__(self, name):
        self.name = name
        self.history = []


class Server:
    def __init__(self):
        self.players = {}

    def player(self, name):
        if name not in self.players:
            self.players[name] = Player(name)
        return self.players[name]


server = Server()


def main():
    backdrop.noise()
    for number in range(40):
        server.player("player-%d" % number)
    for number in backdrop.pace(160):
        server.player("player-%d" % (number % 40)).history.append(Move(number))
        if number % 20 == 0:
            server.players["guest-%d" % number] = Player("guest")
            server.players.pop("guest-%d" % (number - 100), None)


if __name__ == "__main__":
    main()
