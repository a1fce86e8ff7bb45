# SPDX-License-Identifier: Apache-2.0
"""A transcript is one str that gets longer with each line."""
import backdrop


class Transcript:
    def __init__(self):
        self.text = ""

    def say(self, line):
        self.text += line


transcript = Transcript()


def main():
    backdrop.noise()
    for number in backdrop.pace(100):
        transcript.say("%08d hello and welcome " % number * 32)


if __name__ == "__main__":
    main()
