# SPDX-License-Identifier: Apache-2.0
"""Runs processes and measures them from outside."""

import contextlib
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
PEER_SECONDS = 900


@dataclass
class Run:
    wall: float
    cpu: float
    peak_bytes: int
    out: str

    @property
    def json(self):
        return json.loads(self.out)


def run(command, repeat=1):
    """Runs command to its end, repeat times. The runs, fastest first."""
    return sorted((run_once(command) for _ in range(repeat)), key=lambda run: run.wall)


def run_once(command):
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {child.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out)


@dataclass
class Target:
    pid: int
    address: str  # of one record
    container: str  # of the list of all

    def memory(self):
        """Bytes of every line of smaps_rollup."""
        lines = Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines()[1:]
        return {words[0][:-1]: int(words[1]) * 1024 for words in map(str.split, lines)}


@contextlib.contextmanager
def target(instances):
    """A process with the heap, which is ready and waits."""
    child = subprocess.Popen(
        [sys.executable, str(HERE / "heap.py"), str(instances)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        words = child.stdout.readline().split()
        if words[:1] != ["READY"]:
            raise RuntimeError("the process with the heap did not become ready")
        yield Target(child.pid, words[1], words[2])
    finally:
        child.stdin.close()
        child.wait()
        child.stdout.close()


def peer(python, name, instances, repeat):
    """What peer.py says; None, with a line on stderr, when the peer failed."""
    command = [str(python), str(HERE / "peer.py"), name, str(instances), str(repeat)]
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=PEER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return None
    return json.loads(done.stdout)
