# SPDX-License-Identifier: Apache-2.0
"""How much memory processes have: now, over time, while a function runs.

    >>> from heapwhy import memory_usage
    >>> memory_usage((sorted, (range(10 ** 6),)), max_usage=True)
    54.93

Everything is read from /proc: proc(5).
"""
import contextlib
import operator
import os
import subprocess
import time
import tracemalloc
from typing import Any, List, Optional, TextIO

from heapwhy import _heapwhy, arguments

MIB = 1024.0 * 1024.0
PAGE_BYTES = os.sysconf("SC_PAGESIZE")

#: What memory is measured by, with other names of the same.
BACKENDS = {"python": "python", "rss": "rss", "uss": "uss", "pss": "pss", "tracemalloc": "tracemalloc",
            "psutil": "rss", "posix": "rss", "psutil_uss": "uss", "psutil_pss": "pss"}


def backend_of(name: Optional[str], default: str) -> str:
    """The backend that a name means; None: the default. ValueError for one that is not known."""
    try:
        return BACKENDS[default if name is None else name]
    except KeyError:
        raise ValueError("no backend %r; there are %s" % (name, ", ".join(sorted(BACKENDS)))) from None


def rss_bytes(pid: Optional[int] = None) -> int:
    """Resident memory of a process; of this one without pid. 0: it has ended."""
    if pid is None:
        return _heapwhy.rss()
    try:
        with open("/proc/%d/statm" % pid) as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _rollup(pid, keys):
    """The sum of some lines of smaps_rollup, in bytes; None: it cannot be read, or the process has ended."""
    try:
        with open("/proc/%s/smaps_rollup" % (pid or "self")) as file:
            return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(keys))
    except OSError:
        return None


def uss_bytes(pid: Optional[int] = None) -> int:
    """Memory that would be free if the process ended: pages that no other process maps."""
    return _rollup(pid, ("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:")) or 0


def pss_bytes(pid: Optional[int] = None) -> int:
    """Resident memory, of which pages that several processes map count in equal parts."""
    return _rollup(pid, ("Pss:",)) or 0


READERS = {"rss": rss_bytes, "uss": uss_bytes, "pss": pss_bytes}


def children_of(pid: int) -> List[int]:
    """Process ids of all children, theirs, and so on."""
    found, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            threads = os.listdir("/proc/%d/task" % parent)
        except OSError:
            continue
        for thread in threads:
            try:
                with open("/proc/%d/task/%s/children" % (parent, thread)) as file:
                    born = [int(word) for word in file.read().split()]
            except OSError:
                continue
            found += born
            waiting += born
    return found


def measure(backend: str = "rss", pid: Optional[int] = None, include_children: bool = False) -> int:
    """Bytes that a process has, by a backend: 'rss', 'uss', 'pss'; 'tracemalloc' and 'python' of this one."""
    if backend == "tracemalloc":
        return tracemalloc.get_traced_memory()[0]
    read = READERS.get(backend, rss_bytes)
    told = read(pid)
    if include_children:
        told += sum(read(child) for child in children_of(pid or os.getpid()))
    return told


def _call_of(proc):
    if callable(proc):
        return proc, (), {}
    parts = tuple(proc)
    if not 1 <= len(parts) <= 3 or not callable(parts[0]):
        raise ValueError("a function is given as f, (f,), (f, args) or (f, args, kwargs)")
    return (parts + ((), {})[len(parts) - 1:])[:3]


class _PythonRecorder:
    """As _heapwhy.Recorder, in a Python thread: for backends that need more than /proc/PID/statm."""

    def __init__(self, backend, interval, children, peak_only):
        import threading
        self._read = lambda: (measure(backend, None, children), time.time())
        self._interval, self._peak_only = interval, peak_only
        self._samples, self._end = [], threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        pause = self._interval / 1024
        while not self._end.wait(pause):
            self._samples.append(self._read())
            pause = min(pause * 2, self._interval)

    def start(self):
        self._samples.append(self._read())
        self._thread.start()

    def stop(self):
        self._end.set()
        self._thread.join()
        self._samples.append(self._read())
        return [max(self._samples)] if self._peak_only else self._samples


def _record(call, interval, backend, timestamps, include_children, max_usage):
    function, args, kwargs = call
    if backend == "rss":
        recorder = _heapwhy.Recorder(os.getpid(), interval, include_children, max_usage)
    else:
        recorder = _PythonRecorder(backend, interval, include_children, max_usage)
    recorder.start()
    try:
        result = function(*args, **kwargs)
    finally:
        samples = recorder.stop()
    told = [(size / MIB, at) if timestamps else size / MIB for size, at in samples]
    return (told[0] if max_usage else told), result


def _samples_of(pid, backend, timestamps, include_children, multiprocess):
    size, now = measure(backend, pid, include_children) / MIB, time.time()
    sample = (size, now) if timestamps else size
    if not multiprocess:
        return sample, []
    children = [(child, measure(backend, child) / MIB, time.time()) for child in children_of(pid or os.getpid())]
    return sample, children


def _write_samples(stream, sample, children):
    stream.write("MEM {0:.6f} {1:.4f}\n".format(*sample))
    for child in children:
        stream.write("CHLD {0} {1:.6f} {2:.4f}\n".format(*child))


def memory_usage(proc: Any = -1, interval: float = .1, timeout: Optional[float] = None, timestamps: bool = False,
                 include_children: bool = False, multiprocess: bool = False, max_usage: bool = False,
                 retval: bool = False, stream: Optional[TextIO] = None, backend: Optional[str] = None,
                 max_iterations: Optional[int] = None) -> Any:
    """Memory over time, in MiB: of a process, or of this one while a function runs.

    proc              a process id, -1 for this process; a subprocess.Popen; or a function: f, (f, args),
                      (f, args, kwargs)
    interval          seconds between two looks
    timeout           seconds; a process without it is looked at once, a Popen until it ends
    timestamps        (MiB, seconds since 1970) instead of MiB
    include_children  add the memory of all child processes
    multiprocess      of a process: [own, child, child, ...] for each look, or lines of children in the stream
    max_usage         the largest alone, instead of a list
    retval            of a function: (usage, what it returned)
    stream            of a process: write lines "MEM MiB seconds" to it as they come, return None
    backend           'rss' (when None), 'uss', 'pss', 'tracemalloc'
    max_iterations    accepted for memory_profiler's sake: the function is always called exactly once

    A function is watched by a thread that needs no interpreter; one that runs for less than four intervals
    is looked at more often from its beginning on. With max_usage and 'rss' a peak between two looks is not missed if
    the process never had as much before. What the function raises is raised.

    Errors: TypeError for anything else; NotFoundError when there is no such process; ValueError for a backend
    that is not known, for an interval or a timeout that is none. A process that ends meanwhile has 0.

        >>> memory_usage(-1, interval=.2, timeout=1)
        [9.1, 9.1, 9.1, 9.1, 9.1]
    """
    backend = backend_of(backend, "rss")
    interval = arguments.seconds("interval", interval)
    if stream is not None and not hasattr(stream, "write"):
        raise TypeError("stream must be an open text file, not %s" % arguments.kind_of(stream))
    timeout = None if timeout is None else arguments.seconds("timeout", timeout, zero=True)
    with _traced(backend == "tracemalloc"):
        return _usage(proc, interval, timeout, timestamps or stream is not None, include_children, multiprocess,
                      max_usage, retval, stream, backend)


@contextlib.contextmanager
def _traced(wanted):
    """tracemalloc runs in the block; not afterwards, if it did not before."""
    starts = wanted and not tracemalloc.is_tracing()
    if starts:
        tracemalloc.start()
    try:
        yield
    finally:
        if starts:
            tracemalloc.stop()


def _usage(proc, interval, timeout, timestamps, include_children, multiprocess, max_usage, retval, stream, backend):
    if callable(proc) or isinstance(proc, (list, tuple)):
        usage, result = _record(_call_of(proc), interval, backend, timestamps, include_children, max_usage)
        if stream is not None:
            for sample in [usage] if max_usage else usage:
                _write_samples(stream, sample, ())
            return None
        return (usage, result) if retval else usage
    popen = proc if isinstance(proc, subprocess.Popen) else None
    pid = popen.pid if popen else _pid_of(proc)
    looks = int(round(timeout / interval)) if timeout is not None else 1 if popen is None else None
    told = _watch(pid, popen, looks, interval, stream, (backend, timestamps, include_children, multiprocess))
    if stream is not None:
        return None
    return max((item[0] if multiprocess else item for item in told), default=-1) if max_usage else told


def _pid_of(proc):
    """The process that a number means; None: this one. One that is not there has no memory to tell of."""
    try:
        number = operator.index(proc)
    except TypeError:
        raise TypeError("memory_usage() takes a process id, a subprocess.Popen, or a function with its arguments "
                        "(f, args, kwargs), not %s" % arguments.kind_of(proc)) from None
    if number == -1:
        return None
    if number < 1:
        raise _heapwhy.UsageError("%d is no process id; -1 is this process" % number)
    if not os.path.exists("/proc/%d" % arguments.process(number)):
        raise _heapwhy.NotFoundError("there is no process %d" % number)
    return number


def _watch(pid, popen, looks, interval, stream, how):
    told, count = [], 0
    while looks is None or count < max(looks, 1):
        count += 1
        sample, children = _samples_of(pid, *how)
        if stream is not None:
            _write_samples(stream, sample, children)
            if count % 50 == 0:
                stream.flush()
        else:
            told.append([sample] + [child[1] for child in children] if how[3] else sample)
        time.sleep(interval)
        if popen is not None and popen.poll() is not None:
            break
    return told
