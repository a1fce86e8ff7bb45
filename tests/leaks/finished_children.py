# SPDX-License-Identifier: Apache-2.0
"""A build server runs each step to its end and keeps the Popen objects as a history."""
import subprocess

import backdrop


class Builder:
    def __init__(self):
        self.steps = []

    def run(self):
        step = subprocess.Popen(["true"], stdin=subprocess.DEVNULL)
        step.wait()
        self.steps.append(step)


builder = Builder()


def main():
    backdrop.noise()
    for _ in backdrop.pace(15):
        builder.run()


if __name__ == "__main__":
    main()
