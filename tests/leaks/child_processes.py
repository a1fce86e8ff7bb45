# SPDX-License-Identifier: Apache-2.0
"""A media server starts a converter for each upload and never waits for it."""
import subprocess

import backdrop


class Transcoder:
    def __init__(self):
        self.running = []

    def start(self):
        self.running.append(subprocess.Popen(["true"], stdin=subprocess.DEVNULL))


transcoder = Transcoder()


def main():
    backdrop.noise()
    for _ in backdrop.pace(15):
        transcoder.start()


if __name__ == "__main__":
    main()
