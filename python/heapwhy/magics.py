# SPDX-License-Identifier: Apache-2.0
"""Magics for IPython and notebooks: %load_ext heapwhy

    %memit STATEMENT           peak memory while it runs, and by how much it rose
    %mprun -f FUNC STATEMENT   memory of functions, line by line
    %heap                      types of objects, largest first, and what has become more since the last %heap
"""
import builtins
import gc
import io
import sys

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class
from IPython.core.page import page

from heapwhy import _heapwhy, lines, usage
from heapwhy.usage import MIB

HEAP_ROWS = 10


class MemitResult:
    """What %memit -o returns. mem_usage: MiB, one for each repetition; baseline: MiB before."""

    def __init__(self, mem_usage, baseline, repeat, timeout, interval, include_children):
        self.mem_usage = mem_usage
        self.baseline = baseline
        self.repeat = repeat
        self.timeout = timeout
        self.interval = interval
        self.include_children = include_children

    def __str__(self):
        peak = max(self.mem_usage)
        return "peak memory: %.02f MiB, increment: %.02f MiB" % (peak, peak - self.baseline)

    def _repr_pretty_(self, printer, cycle):
        printer.text("<MemitResult : %s>" % self)


def _size_text(size):
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000 or unit == "GB":
            return "%d B" % size if unit == "B" else "%.1f %s" % (size, unit)
        size /= 1000.0


def _change_text(size):
    return "+" * (size > 0) + _size_text(size)


def _number(option, text, kind, least=None):
    """The number that an option was given, an int or a float; UsageError: it is none, or less than it may be."""
    try:
        number = kind(text)
    except ValueError:
        raise UsageError("%s takes a %snumber, not %.80r" % (option, "whole " * (kind is int), text)) from None
    if least is not None and number < least:
        raise UsageError("%s must be %d or more, not %d" % (option, least, number))
    return number


def _show(text):
    """By the pager in a terminal; in a notebook, or into a file, as output of the cell."""
    if sys.stdout.isatty():
        page(text)
    else:
        print(text)


def _census():
    """{type's full name: (count, bytes)} of all objects."""
    told = {}
    for kind, count, size in _heapwhy.census():
        module = getattr(kind, "__module__", None)
        name = kind.__qualname__ if module in (None, "builtins") else "%s.%s" % (module, kind.__qualname__)
        before = told.get(name, (0, 0))
        told[name] = before[0] + count, before[1] + size
    return told


@magics_class
class HeapwhyMagics(Magics):
    """%memit, %mprun and %heap."""

    _last_heap = None

    @line_cell_magic
    def memit(self, line="", cell=None):
        """Peak memory of a statement.

        %memit [-r<R>] [-t<T>] [-i<I>] [-c] [-o] [-q] statement
        %%memit [options] setup code, which is not measured
        code

        -r<R>  repeat it R times; the highest peak counts
        -t<T>  accepted, the statement is not interrupted
        -i<I>  look each I seconds; default 0.1, more often in the beginning
        -c     add the memory of child processes
        -o     return the result
        -q     print nothing

            In [1]: %memit list(range(1000000))
            peak memory: 98.69 MiB, increment: 35.59 MiB
        """
        options, statement = self.parse_options(line, "r:t:i:coq", posix=False, strict=False)
        setup, code = ("pass", statement) if cell is None else (statement or "pass", cell)
        repeat = max(_number("-r", getattr(options, "r", 1), int), 1)
        interval, children = _number("-i", getattr(options, "i", 0.1), float), "c" in options
        namespace = self.shell.user_ns
        gc.collect()
        exec(self._transformed(setup), namespace)
        ready = compile(self._transformed(code), "<memit>", "exec")
        baseline = usage.memory_usage(interval=1e-9, include_children=children)[0]
        peaks = [usage.memory_usage((exec, (ready, namespace)), interval=interval, max_usage=True,
                                    include_children=children) for _ in range(repeat)]
        result = MemitResult(peaks, baseline, repeat, getattr(options, "t", None), interval, children)
        if "q" not in options:
            print(result)
        return result if "o" in options else None

    def _transformed(self, code):
        return self.shell.transform_cell(code)

    @line_cell_magic
    def mprun(self, parameter_s="", cell=None):
        """Memory of functions, line by line, while a statement runs.

        %mprun -f func1 -f func2 statement
        %%mprun -f func1 -f func2 [statement]
        code

        -f FUNCTION  a function to profile, any expression without spaces; may be given several times. Functions of the
                     notebook itself can be profiled, too
        -b BACKEND   python (default), rss, uss, pss, tracemalloc
        -p DIGITS    after the point; default 3
        -T FILE      write the tables to a file, too
        -r           return the LineProfiler
        -c           add the memory of child processes
        """
        escaped = parameter_s.replace('"', r"\"").replace("'", r"\'")
        options, statement = self.parse_options(escaped, "rf:T:cb:p:", list_all=True)
        statement = statement.replace(r"\"", '"').replace(r"\'", "'")
        if cell is not None:
            statement += "\n" + cell
        profiler = lines.LineProfiler(options.get("b", [None])[0], "c" in options)
        precision = _number("-p", options.get("p", [3])[0], int, 0)
        for name in options.get("f", []):
            profiler.add_function(self._function(name))
        message = self._run(profiler, self._transformed(statement))
        text = self._tables(profiler, precision)
        _show(text.rstrip())
        if message:
            print(message)
        if "T" in options:
            with open(options["T"][0], "w") as file:
                file.write(text)
            print("*** Profile printout saved to text file %s." % options["T"][0])
        return profiler if "r" in options else None

    def _function(self, name):
        try:
            return eval(name, self.shell.user_global_ns, self.shell.user_ns)
        except Exception as error:
            raise UsageError("Could not find function %r.\n%s: %s" % (name, error.__class__.__name__, error)) from None

    def _run(self, profiler, statement):
        """With `profile` in reach for code that is run; what a message says when it ended early."""
        missing = object()
        before = getattr(builtins, "profile", missing)
        builtins.profile = profiler
        try:
            profiler.runctx(statement, self.shell.user_global_ns, self.shell.user_ns)
        except (SystemExit, KeyboardInterrupt) as error:
            return "*** %s exception caught in code being profiled." % type(error).__name__
        finally:
            if before is missing:
                del builtins.profile
            else:
                builtins.profile = before
        return ""

    def _tables(self, profiler, precision):
        stream = io.StringIO()
        profiler.print(stream, precision)
        return stream.getvalue()

    @line_magic
    def heap(self, line=""):
        """Types of objects by size, and what has become more since the last %heap.

        %heap [-n<ROWS>] [-g]

        -n<ROWS>  rows to show; default 10
        -g        only growth, largest first
        """
        options, _ = self.parse_options(line, "n:g", posix=False)
        rows = _number("-n", getattr(options, "n", HEAP_ROWS), int, 0)
        now, last = _census(), self._last_heap
        type(self)._last_heap = now
        if "g" in options and last is None:
            print("This was the first %heap: the next one shows what has become more.")
            return
        grown = {name: (count - (last or now).get(name, (0, 0))[0], size - (last or now).get(name, (0, 0))[1])
                 for name, (count, size) in now.items()}
        order = grown if "g" in options else now
        chosen = sorted(now, key=lambda name: order[name][1], reverse=True)[:rows]
        if "g" in options:
            chosen = [name for name in chosen if grown[name][0] > 0 or grown[name][1] > 0]
        print("%10s %10s %9s %10s  %s" % ("objects", "size", "+objects", "+size", "type"))
        for name in chosen:
            print("%10d %10s %+9d %10s  %s" % (now[name][0], _size_text(now[name][1]), grown[name][0],
                                             _change_text(grown[name][1]), name))
        print("%10d %10s %+9d %10s  in all" % (
            sum(count for count, _ in now.values()), _size_text(sum(size for _, size in now.values())),
            sum(count for count, _ in grown.values()), _change_text(sum(size for _, size in grown.values()))))


def load_ipython_extension(ip):
    ip.register_magics(HeapwhyMagics)
