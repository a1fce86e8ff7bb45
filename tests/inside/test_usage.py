# SPDX-License-Identifier: Apache-2.0
"""Memory of processes, over time and while a function runs."""
import io
import os
import subprocess
import sys
import time

import pytest

from support import python_inside

import heapwhy
from heapwhy import memory_usage, usage

MIB = 1024 * 1024


def large(size, seconds=0):
    block = bytearray(size)
    time.sleep(seconds)
    return len(block)


def test_a_function_is_called_once_and_its_peak_is_seen():
    """In a fresh process: in one that has freed much, new blocks need no new memory."""
    looks = python_inside("""
from heapwhy import memory_usage
calls = []
def once():
    block = bytearray(80 * 2 ** 20)
    calls.append(len(block))
    return len(block)
before = memory_usage()[0]
peak, result = memory_usage(once, max_usage=True, retval=True)
assert calls == [80 * 2 ** 20] and result == calls[0], (calls, result)
assert before + 70 < peak < before + 100, (before, peak)
print(len(memory_usage(once)))
""")
    assert int(looks) >= 3


def test_a_call_into_c_that_keeps_the_interpreter_is_watched():
    told = python_inside("""
from heapwhy import memory_usage
data = list(range(3000000, 0, -1))
print(memory_usage((sorted, (data,)), interval=.01, max_usage=True) - memory_usage()[0])
""")
    assert float(told) > 5  # the list that sorted() makes: 24 MB, gone again


def test_samples_have_times_in_order():
    samples = memory_usage((large, (MIB,), {"seconds": .35}), interval=.05, timestamps=True)
    times = [at for _, at in samples]
    assert times == sorted(times) and abs(times[-1] - time.time()) < 60
    assert 4 < len(samples) < 20


def test_this_process_others_and_popen():
    assert len(memory_usage(-1, interval=.01, timeout=.05)) == 5
    assert type(memory_usage(-1, interval=.01, timeout=.05, max_usage=True)) is float
    child = subprocess.Popen([sys.executable, "-c", "import time; b = b'x' * 50_000_000; time.sleep(.5)"])
    told = memory_usage(child, interval=.02)
    assert max(told) > 48 and child.wait() == 0
    assert memory_usage(os.getpid())[0] > 5


def test_children_are_added_or_told_apart():
    child = subprocess.Popen([sys.executable, "-c",
                              "import sys; b = b'x' * 50_000_000; print(1, flush=True); sys.stdin.read()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        child.stdout.readline()
        alone, together = memory_usage()[0], memory_usage(include_children=True)[0]
        assert together > alone + 45
        ((own, *others),) = memory_usage(multiprocess=True)
        assert abs(own - alone) < 5 and max(others) > 45
        assert memory_usage((time.sleep, (.1,)), include_children=True, max_usage=True) > alone + 45
        stream = io.StringIO()
        assert memory_usage(stream=stream, multiprocess=True) is None
        assert [line.split()[0] for line in stream.getvalue().splitlines()][:2] == ["MEM", "CHLD"]
    finally:
        child.communicate()


@pytest.mark.parametrize("backend", ["rss", "uss", "pss", "psutil_uss", "posix"])
def test_backends_agree_roughly(backend):
    block = bytearray(b"x") * (60 * MIB)
    assert 50 < memory_usage(backend=backend)[0] < memory_usage(backend="rss")[0] + 10
    assert memory_usage((large, (MIB,)), backend=backend, max_usage=True) > 50 and len(block)


def test_what_the_function_raises_is_raised_and_nothing_goes_on():
    threads = len(os.listdir("/proc/self/task"))
    with pytest.raises(ZeroDivisionError):
        memory_usage((lambda: 1 / 0,))
    assert len(os.listdir("/proc/self/task")) == threads
    with pytest.raises(ValueError):
        memory_usage((large, (1,), {}, None))
    with pytest.raises(ValueError):
        memory_usage(backend="nothing")
    with pytest.raises(ValueError):
        heapwhy._heapwhy.Recorder(os.getpid(), 0)


def test_numbers_are_those_of_proc():
    with open("/proc/self/status") as file:
        (line,) = [line for line in file if line.startswith("VmRSS:")]
    assert abs(usage.rss_bytes() - int(line.split()[1]) * 1024) < 3 * MIB
    assert usage.uss_bytes() <= usage.pss_bytes() + 4096 <= usage.rss_bytes() + 3 * MIB
    assert usage.rss_bytes(2 ** 22 + 1) == 0
