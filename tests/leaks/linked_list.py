# SPDX-License-Identifier: Apache-2.0
"""An undo journal is a linked list that hangs from one attribute and is never cut."""
import backdrop


class Change:
    def __init__(self, text, before):
        self.text = text
        self.before = before


class Editor:
    def __init__(self):
        self.latest = None
        self.length = 0

    def edit(self, text):
        self.latest = Change(text, self.latest)
        self.length += 1


editor = Editor()


def main():
    backdrop.noise()
    for number in backdrop.pace(200):
        editor.edit("insert %d" % number)


if __name__ == "__main__":
    main()
