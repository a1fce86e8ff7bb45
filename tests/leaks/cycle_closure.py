# SPDX-License-Identifier: Apache-2.0
"""A function that refers to itself through its closure, made once per request, gc off."""
import gc

import backdrop


class Tree:
    def __init__(self, number):
        self.children = [number, number + 1]


def render(number):
    tree = Tree(number)

    def walk(depth):
        if depth == 0:
            return len(tree.children)
        return walk(depth - 1)

    return walk(2)


def main():
    gc.disable()
    backdrop.noise()
    for number in backdrop.pace(80):
        render(number)


if __name__ == "__main__":
    main()
