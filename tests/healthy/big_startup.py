# SPDX-License-Identifier: Apache-2.0
"""Loads a large table, says it is ready, and from then on only churns."""
import backdrop


class City:
    def __init__(self, number):
        self.name = "city-%d" % number
        self.position = (number * 0.01, number * 0.02)
        self.tags = {"population": number * 1000}


def load(count):
    return {city.name: city for city in map(City, range(count))}


def main():
    cities = load(60000)
    backdrop.noise()
    for number in backdrop.pace(200):
        city = cities["city-%d" % (number % len(cities))]
        dict(city.tags, name=city.name)


if __name__ == "__main__":
    main()
