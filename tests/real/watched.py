# SPDX-License-Identifier: Apache-2.0
"""Programs for heapwhy watch: watched.py HOW [NUMBER]."""
import os
import resource
import subprocess
import sys
import time


def leak(quiet_s):
    """A megabyte a second, after some quiet seconds, below a limit of two gigabytes of addresses."""
    resource.setrlimit(resource.RLIMIT_AS, (2_000_000_000, resource.RLIM_INFINITY))
    kept = []
    print("READY", flush=True)
    time.sleep(quiet_s)
    while True:
        kept.append(b"x" * 100_000)
        time.sleep(0.1)


def big(megabytes):
    """Much memory, and nothing happens."""
    kept = [b"x" * 1_000_000 for _ in range(int(megabytes))]
    print("READY", flush=True)
    time.sleep(600)
    return kept


def parent(seconds):
    """A child that comes a second later and lives for so long; then the end."""
    print("READY", flush=True)
    time.sleep(1)
    subprocess.run([sys.executable, os.path.abspath(__file__), "child", str(seconds)], check=True)
    time.sleep(1)


def child(seconds):
    time.sleep(seconds)


if __name__ == "__main__":
    {"leak": leak, "big": big, "parent": parent, "child": child}[sys.argv[1]](float(sys.argv[2]))
