# SPDX-License-Identifier: Apache-2.0
"""memory_profiler 0.61's functions under their names: import heapwhy.compat.memory_profiler as memory_profiler

What is different, because the original is wrong there, or slow:

- Increments belong to the frame and line that ran: they add up in loops, in recursion, in nested and interleaved
  functions, in generators and coroutines, in threads.
- The line of the definition shows what there was before the first call, not the sum over all calls.
- memory_usage() of a function calls it exactly once, and watches it by a thread instead of a process.
- Results are printed when the function raises, too.
- The backend 'tracemalloc' counts what tracemalloc traces in the whole program, not in the function's file.
- Lines of the table of a function without a source on disk are shown, by their numbers.
"""
import inspect
import logging
import sys
import warnings

from heapwhy import _heapwhy, lines, usage
from heapwhy.lines import TimeStamper as _TimeStamper, main
from heapwhy.usage import memory_usage as _memory_usage

__version__ = "0.61.0"
_TWO_20 = float(2 ** 20)
_BACKENDS = ("psutil", "psutil_pss", "psutil_uss", "posix", "tracemalloc")
CodeMap = lines.Lines

has_tracemalloc = True


def choose_backend(new_backend=None):
    """The name of the backend that is used for this name."""
    if new_backend is None:
        return "psutil"
    if new_backend not in usage.BACKENDS:
        raise KeyError(new_backend)
    return new_backend


class LineProfiler(lines.LineProfiler):
    """A profiler that records the amount of memory for each line."""

    def __init__(self, backend=None, include_children=False, max_mem=None, **kw):
        super().__init__(choose_backend(backend), include_children, max_mem)

    def add_function(self, func):
        try:
            super().add_function(func)
        except TypeError:
            warnings.warn("Could not extract a code object for the object %r" % func)


class TimeStamper(_TimeStamper):
    """Records when decorated functions begin and end."""

    def __init__(self, backend="psutil", include_children=False):
        super().__init__(choose_backend(backend), include_children)


def show_results(prof, stream=None, precision=1):
    """Write the tables of a LineProfiler."""
    lines.show_results(prof, stream, precision)


def profile(func=None, stream=None, precision=1, backend="psutil"):
    """Decorator that runs the function and prints a line-by-line profile."""
    if func is None:
        return lambda function: profile(function, stream, precision, backend)
    return lines._printing(func, lambda: LineProfiler(backend=backend),
                           lambda profiler: show_results(profiler, stream, precision))


def memory_usage(*args, **kwargs):
    return _memory_usage(*args, **kwargs)


memory_usage.__doc__ = _memory_usage.__doc__
memory_usage.__signature__ = inspect.signature(_memory_usage)


class LogFile:
    """A file that logs what is written to it: sys.stdout = LogFile('memory_profile_log').

    name                 of the logger
    reportIncrementFlag  True: of the lines of a table only those whose increment is above 0
    """

    def __init__(self, name=None, reportIncrementFlag=False):
        self.logger = logging.getLogger(name)
        self.reportIncrementFlag = reportIncrementFlag

    def _is_wanted(self, msg):
        if not self.reportIncrementFlag or "Filename:" in msg or "Line Contents" in msg:
            return True
        try:
            return float(msg.split("MiB")[1].strip()) > 0
        except (IndexError, ValueError):
            return False

    def write(self, msg, level=logging.INFO):
        if self._is_wanted(msg):
            self.logger.log(level, msg)

    def flush(self):
        for handler in self.logger.handlers:
            handler.flush()


def _func_exec(stmt, ns):
    exec(stmt, ns)


def load_ipython_extension(ip):
    """For %load_ext: %memit, %mprun."""
    from heapwhy.magics import load_ipython_extension as load
    load(ip)


if __name__ == "__main__":
    sys.exit(main())
