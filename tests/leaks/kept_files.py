# SPDX-License-Identifier: Apache-2.0
"""Each export opens a file and keeps the object 'to flush it later'."""
import os
import resource

import backdrop


def allow_many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Exporter:
    def __init__(self):
        self.pending = []
        self.lines = 0

    def export(self, number):
        stream = open(os.devnull, "w")
        stream.write("line %d\n" % number)
        self.pending.append(stream)
        self.lines += 1


exporter = Exporter()


def main():
    allow_many_descriptors()
    backdrop.noise()
    for number in backdrop.pace(30):
        exporter.export(number)


if __name__ == "__main__":
    main()
