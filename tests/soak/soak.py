#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs work.py under heapwhy run for a time, recording every event and then a sample, and looks whether it ended well.

    HEAPWHY=build/heapwhy tests/soak/soak.py SECONDS [PYTHON...]
"""
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CHUNK = struct.Struct("<IIQ")
QUIET = ["-W", "ignore::DeprecationWarning"]  # 3.12 and later warn of forks amid threads


def events_in(path):
    """Of all complete chunks; fails where what stands there is none."""
    events = 0
    with open(path, "rb") as file:
        head = file.read(16)
        assert head[:8] == b"hwrecord", path
        file.seek(struct.unpack("<I", head[12:])[0])
        while len(chunk := file.read(CHUNK.size)) == CHUNK.size:
            size, count, _ = CHUNK.unpack(chunk)
            assert 0 < size <= 1 << 18 and count, path
            events += count
            file.seek(size, os.SEEK_CUR)
    return events


def soak(python, seconds, options):
    with tempfile.TemporaryDirectory() as folder:
        command = [os.environ.get("HEAPWHY", "build/heapwhy"), "run", "-o", os.path.join(folder, "r")] + options
        done = subprocess.run(command + [python, *QUIET, os.path.join(HERE, "work.py"), seconds], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=float(seconds) * 2 + 100)
        files = [os.path.join(folder, name) for name in os.listdir(folder)]
        events = sum(map(events_in, files))
        size = sum(map(os.path.getsize, files))
    well = (done.returncode, done.stdout, done.stderr) == (0, "DONE\n", "")
    print("%s %s: %s, %d processes, %.1f M events, %.1f MB" % (
        python, " ".join(options) or "sampled", "well" if well else "status %d %r" % (done.returncode, done.stderr[-300:]),
        len(files), events / 1e6, size / 1e6), flush=True)
    return well


def main():
    seconds, pythons = sys.argv[1], sys.argv[2:] or [sys.executable]
    sys.exit(not all([soak(python, seconds, options) for python in pythons for options in (["--every"], [], ["--rate=1KiB"])]))


if __name__ == "__main__":
    main()
