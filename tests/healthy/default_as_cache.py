# SPDX-License-Identifier: Apache-2.0
"""A default argument serves as a cache on purpose, and is emptied when it is full."""
import backdrop


class Plan:
    def __init__(self, text):
        self.steps = text.split()


def plan_for(text, cache={}):
    if text not in cache:
        if len(cache) >= 100:
            cache.clear()
        cache[text] = Plan(text)
    return cache[text]


def main():
    backdrop.noise()
    for number in range(150):
        plan_for("select %d" % number)
    for number in backdrop.pace(150):
        plan_for("select from t%d" % number)


if __name__ == "__main__":
    main()
