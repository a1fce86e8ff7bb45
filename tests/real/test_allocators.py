# SPDX-License-Identifier: Apache-2.0
"""The allocators' blocks from outside are what the allocators say inside."""
import contextlib
import json
import os
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

SCRIPT = os.path.join(HERE, "allocators.py")
EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
TOLD_LATER = 500  # blocks that telling makes, or ends
TOLD_LATER_BYTES = 100000
WAYS = ["idle", "sparse", "native", "threads", "subinterpreter"]


@contextlib.contextmanager
def target(interpreter, way, **env):
    lines = []
    with support.ready_target(interpreter, SCRIPT, way, sink=lines.append, env=env) as process:
        yield process, json.loads(lines[-1])


def blocks(process):
    binary = os.path.join(os.path.dirname(support.heapwhy_binary()), "tests/real/blocks")
    run = subprocess.run([binary, str(process.pid)], stdout=subprocess.PIPE, check=True,
                         timeout=60)
    return json.loads(run.stdout)


@EVERY
@pytest.mark.parametrize("way", WAYS)
def test_blocks(interpreter, way):
    with target(interpreter, way) as (process, inside):
        outside = blocks(process)
    pymalloc, glibc, info = outside["pymalloc"], outside["glibc"], inside["info"]
    assert pymalloc["damaged"] == glibc["damaged"] == 0
    if way == "subinterpreter" and tuple(map(int, interpreter.version.split("."))) >= (3, 12):
        # The statistics are those of one interpreter, and since 3.12 these have arenas of their own.
        assert pymalloc["arenas"] > inside["arenas"]
        assert pymalloc["classes"]["16"] > inside["classes"]["16"] + 90000
    else:
        assert abs(pymalloc["arenas"] - inside["arenas"]) <= 1
        for size, count in inside["classes"].items():
            assert abs(pymalloc["classes"][size] - count) < TOLD_LATER, size
    assert glibc["arenas"] == inside["glibc"]["arenas"]
    assert glibc["mapped"] == [glibc["mmap_count"], glibc["mmap_bytes"]]
    assert glibc["mmap_count"] == info["hblks"] and glibc["mmap_bytes"] == info["hblkhd"]
    assert glibc["fast"] == inside["glibc"]["fast"] == [info["smblks"], info["fsmblks"]]
    # What threads keep counts as used there.
    used = glibc["used"][1] + glibc["tcache"][1] + glibc["own"][1]
    assert abs(used - info["uordblks"]) < TOLD_LATER_BYTES
    assert abs(sum(glibc[kind][1] for kind in ("free", "top", "fast")) - info["fordblks"]) < TOLD_LATER_BYTES
    if way == "threads":
        assert glibc["own"][0] == 5
        assert glibc["tcache"][0] > 1000


@EVERY
@pytest.mark.parametrize("allocator", ["malloc", "malloc_debug", "pymalloc_debug"])
def test_other_allocators(interpreter, allocator):
    with target(interpreter, "idle", PYTHONMALLOC=allocator) as (process, _):
        pymalloc = blocks(process)["pymalloc"]
    if allocator == "pymalloc_debug":
        assert pymalloc["has_hooks"] and pymalloc["framed"] == pymalloc["blocks"] > 10000
    else:
        assert pymalloc["arenas"] == pymalloc["blocks"] == 0
