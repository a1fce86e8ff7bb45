# SPDX-License-Identifier: Apache-2.0
"""Memory of this process, as the operating system counts it, and its threads."""
import os
import resource
import subprocess
import threading
from mmap import PAGESIZE
from typing import Any, List, Tuple

from heapwhy.compat.pympler.util.stringutils import pp

__all__ = ["ProcessMemoryInfo", "ThreadInfo", "get_current_thread_id", "get_current_threads", "is_available"]


class _ProcessMemoryInfo:
    """Bytes: vsz, rss, data_segment, code_segment, shared_segment, stack_segment; pagefaults, a number;
    os_specific, [(what, size as text), ...]; available, whether there are figures at all."""

    pagesize = PAGESIZE

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.rss = self.vsz = self.pagefaults = 0
        self.data_segment = self.code_segment = self.shared_segment = self.stack_segment = 0
        self.os_specific: List[Tuple[str, str]] = []
        self.available = self.update()

    def __repr__(self) -> str:
        return "<%s vsz=%d rss=%d>" % (type(self).__name__, self.vsz, self.rss)

    def __sub__(self, other: "_ProcessMemoryInfo") -> List[Tuple[str, int]]:
        return [("Resident set size (delta)", self.rss - other.rss), ("Virtual size (delta)", self.vsz - other.vsz)]

    def update(self) -> bool:
        """Reads the figures again. False: there are none."""
        return False


class _ProcessMemoryInfoPS(_ProcessMemoryInfo):
    """As ps tells."""

    def update(self) -> bool:
        try:
            done = subprocess.run(["/bin/ps", "-p%d" % self.pid, "-o", "rss,vsz"], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        except OSError:
            return False
        words = done.stdout.split()
        if done.returncode or len(words) < 2:
            return False
        self.rss, self.vsz = int(words[-2]) * 1024, int(words[-1]) * 1024
        return True


class _ProcessMemoryInfoProc(_ProcessMemoryInfo):
    """As /proc/self/stat and /proc/self/status tell (proc(5))."""

    segments = {"VmData": "data_segment", "VmExe": "code_segment", "VmLib": "shared_segment", "VmStk": "stack_segment"}
    key_map = {"VmPeak": "Peak virtual memory size", "VmSize": "Virtual memory size", "VmLck": "Locked memory size",
               "VmHWM": "Peak resident set size", "VmRSS": "Resident set size", "VmStk": "Size of stack segment",
               "VmData": "Size of data segment", "VmExe": "Size of code segment",
               "VmLib": "Shared library code size", "VmPTE": "Page table entries size"}

    def update(self) -> bool:
        try:
            with open("/proc/self/stat") as stat, open("/proc/self/status") as status:
                fields = stat.read().rpartition(")")[2].split()  # from the third on: the name may have blanks
                lines = status.readlines()
        except OSError:
            return False
        self.vsz, self.rss = int(fields[20]), int(fields[21]) * self.pagesize
        self.pagefaults = int(fields[9])
        self.os_specific = []
        for line in lines:
            key, _, value = line.partition(":")
            if key in self.key_map:
                size = int(value.split()[0]) * 1024
                self.os_specific.append((self.key_map[key], pp(size)))
                if key in self.segments:
                    setattr(self, self.segments[key], size)
        return True


class _ProcessMemoryInfoResource(_ProcessMemoryInfo):
    """As getrusage() tells: rss is the largest so far."""

    def update(self) -> bool:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.rss = usage.ru_maxrss * 1024
        self.pagefaults = usage.ru_majflt
        return self.rss != 0


ProcessMemoryInfo: Any = _ProcessMemoryInfoProc


def is_available() -> bool:
    """Whether there are figures on this system."""
    return ProcessMemoryInfo().update()


class ThreadInfo:
    """A thread that runs: ident, name, daemon."""

    def __init__(self, thread: threading.Thread):
        self.ident, self.name, self.daemon = thread.ident, thread.name, thread.daemon


def get_current_threads() -> List[ThreadInfo]:
    """All threads that Python knows."""
    return [ThreadInfo(thread) for thread in threading.enumerate()]


def get_current_thread_id() -> int:
    """The ident of the thread that asks."""
    return threading.get_ident()
