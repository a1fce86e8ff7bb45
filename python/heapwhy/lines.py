# SPDX-License-Identifier: Apache-2.0
"""Memory line by line.

    python -m heapwhy.lines script.py        functions that the script marks with @profile

    from heapwhy import profile              or mark them yourself

    @profile
    def my_func():
        a = [1] * (10 ** 6)
        b = [2] * (2 * 10 ** 7)
        del b
        return a

Increment is what memory changed by while the line ran, in all its runs, with everything that it called: the
increments of a call add up to what the call has changed. Mem usage is the most that there was after
the line; it begins with the resident memory of the process. The line of the definition stands for the call.
"""
import argparse
import contextlib
import functools
import gc
import inspect
import io
import linecache
import os
import runpy
import sys
import threading
import time
import types
import warnings
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, TextIO, Tuple, TypeVar, Union, overload

from heapwhy import _heapwhy, usage
from heapwhy.arguments import function, number_option, whole
from heapwhy.usage import MIB, backend_of, measure

DEFAULT_BACKEND = "python"
_Function = TypeVar("_Function", bound=Callable[..., Any])


@contextlib.contextmanager
def uncounted():
    """What this thread does inside is not counted by the backend 'python'."""
    _heapwhy.allocated_pause()
    try:
        yield
    finally:
        _heapwhy.allocated_resume()


# ---- measuring ----

def _source(backend, include_children):
    """What the tracer measures by: a name that it knows, or a function."""
    if include_children:
        return functools.partial(measure, "rss" if backend == "python" else backend, None, True)
    return backend if backend in ("python", "rss") else functools.partial(measure, backend)


_collecting = {}  # what is in gc.callbacks, by tracer, with how often it was asked for
_lock = threading.Lock()
_writing = threading.RLock()  # tables of several threads come one after the other; a stream's write() may be profiled itself


def _renew_locks():
    """In a fork the thread that perhaps had them does not run."""
    global _lock, _writing
    _lock, _writing = threading.Lock(), threading.RLock()


os.register_at_fork(after_in_child=_renew_locks)


def _note_collections(tracer, by):
    with _lock:
        callback, uses = _collecting.get(id(tracer), (tracer.collection, 0))
        if uses == 0:
            gc.callbacks.append(callback)
        _collecting[id(tracer)] = callback, uses + by
        if uses + by == 0:
            del _collecting[id(tracer)]
            gc.callbacks.remove(callback)


# ---- wrapping ----

@types.coroutine
def _steps(around, inner):
    """Runs a generator or a coroutine, each of its steps within around()."""
    # what passes through is popped, so that it does not live longer than without us
    resume, passing = inner.send, [None]
    while True:
        try:
            with around():
                passing.append(resume(passing.pop()))
        except StopIteration as stop:
            return stop.value
        try:
            passing.append((yield passing.pop()))
            resume = inner.send
        except GeneratorExit:
            with around():
                inner.close()
            raise
        except BaseException as error:
            resume = inner.throw
            passing.append(error)


def _wrap(function, around):
    """The function, each step of it within around(): plain, generator, coroutine, asynchronous generator."""
    if inspect.iscoroutinefunction(function):
        async def wrapper(*args, **kwargs):
            return await _steps(around, function(*args, **kwargs))
    elif inspect.isasyncgenfunction(function):
        async def wrapper(*args, **kwargs):
            inner = function(*args, **kwargs)
            resume, passing = inner.asend, [None]
            try:
                while True:
                    try:
                        passing.append(await _steps(around, _awaited(resume(passing.pop()))))
                    except StopAsyncIteration:
                        return
                    try:
                        passing.append((yield passing.pop()))
                        resume = inner.asend
                    except GeneratorExit:
                        raise
                    except BaseException as error:
                        resume = inner.athrow
                        passing.append(error)
            finally:
                await _steps(around, _awaited(inner.aclose()))
    elif inspect.isgeneratorfunction(function):
        def wrapper(*args, **kwargs):
            return (yield from _steps(around, function(*args, **kwargs)))
    else:
        def wrapper(*args, **kwargs):
            with around():
                return function(*args, **kwargs)
    return functools.wraps(function)(wrapper)


async def _awaited(awaitable):
    return await awaitable


def _wrapped_inside(function, wrap):
    """wrap() of what a staticmethod or classmethod holds; of everything else itself."""
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(wrap(function.__func__))
    return wrap(function)


class Lines(dict):
    """{code: {line: (increment MiB, most MiB, occurrences)}} of profiled functions; nested code has the same lines."""

    def items(self) -> List[Tuple[str, Any]]:  # type: ignore[override]
        """(file, ((line, its numbers or None) for each line of the source)) of each function that has run."""
        return [(code.co_filename, _with_numbers(code, lines)) for code, lines in dict.items(self) if lines]


def _with_numbers(code, lines):
    return ((line, lines.get(line)) for line in _line_numbers(code, lines))


def _line_numbers(code, lines):
    """Of the function's source; without a source, those that have run."""
    try:
        source, first = inspect.getsourcelines(code)
    except (OSError, TypeError, SyntaxError, IndentationError):
        return sorted(lines)
    return range(first, first + len(source))


class LineProfiler:
    """Memory of functions, line by line.

        profiler = LineProfiler()
        profiler(function)(1, 2)         # or profiler.add_function() and with profiler: ...
        profiler.print()

    backend           'python': bytes that the thread took from Python's allocators, and that libraries took from malloc in
                      it, exact; 'rss', 'uss', 'pss': pages of the process; 'tracemalloc'
    include_children  add the resident memory of child processes; then pages are measured, not bytes
    max_mem           MiB: go into the debugger when there is as much
    """

    def __init__(self, backend: Optional[str] = None, include_children: bool = False,
                 max_mem: Optional[float] = None) -> None:
        self.backend = backend_of(backend, DEFAULT_BACKEND)
        if self.backend == "python":
            self.backend = _countable(backend)
        if self.backend == "tracemalloc":
            _start_tracemalloc()
        self.include_children = include_children
        self.max_mem = max_mem
        self.enable_count = 0
        self._codes = set()
        self._tracer = _heapwhy.LineTracer(_source(self.backend, include_children))

    def __call__(self, func: Optional[Callable[..., Any]] = None, precision: Optional[int] = None) -> Callable[..., Any]:
        """The function, profiled whenever it runs; without one a decorator."""
        if func is None:
            return self
        return _wrapped_inside(func, self.wrap_function)

    def add_function(self, func: Callable[..., Any]) -> None:
        """Measure this function when profiling is enabled. TypeError: it is not one in Python."""
        code = getattr(inspect.unwrap(getattr(func, "__func__", func)), "__code__", None)
        if code is None:
            raise TypeError("%r cannot be profiled: it has no Python code" % (func,))
        self._codes.add(code)
        self._tracer.add(code)

    def wrap_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, profiled whenever it runs."""
        self.add_function(func)
        return _wrap(func, self._counted)

    @contextlib.contextmanager
    def _counted(self):
        self.enable_by_count()
        try:
            yield
        finally:
            self.disable_by_count()

    def enable_by_count(self) -> None:
        """Begin to measure in this thread; calls nest."""
        self.enable_count += 1
        if self.max_mem is not None:
            sys.settrace(self._trace_max_mem)
            return
        _note_collections(self._tracer, 1)
        self._tracer.enable()

    def disable_by_count(self) -> None:
        """The end of one enable_by_count()."""
        if not self.enable_count:
            return
        self.enable_count -= 1
        if self.max_mem is not None:
            sys.settrace(None)
            return
        self._tracer.disable()
        _note_collections(self._tracer, -1)

    enable, disable = enable_by_count, disable_by_count

    def __enter__(self) -> "LineProfiler":
        self.enable_by_count()
        return self

    def __exit__(self, *error: Any) -> None:
        self.disable_by_count()

    def runctx(self, cmd: Union[str, types.CodeType], globals: Dict[str, Any], locals: Dict[str, Any]) -> "LineProfiler":
        """Measure the functions that were added while a statement runs."""
        with self:
            exec(cmd, globals, locals)
        return self

    def _trace_max_mem(self, frame, event, arg):
        if event not in ("line", "return") or frame.f_code not in self._codes:
            return self._trace_max_mem
        now = measure("rss" if self.backend == "python" else self.backend) / MIB
        if now < self.max_mem:
            return self._trace_max_mem
        import pdb
        print("Current memory {0:.2f} MiB exceeded the maximum of {1:.2f} MiB".format(now, self.max_mem))
        print("Stepping into the debugger")
        debugger = pdb.Pdb()
        debugger.set_trace(frame)
        return debugger.trace_dispatch

    @property
    def code_map(self) -> Lines:
        """What was measured, as Lines."""
        return Lines((code, {line: (increment / MIB, most / MIB, occurrences)
                             for line, increment, most, occurrences, _, _ in lines})
                     for code, lines in self._tracer.results())

    def collections(self) -> List[Tuple[str, int, int, int]]:
        """[(file, line, collections, bytes that they freed), ...] of lines during which the collector ran."""
        return [(code.co_filename, line, count, freed) for code, lines in self._tracer.results()
                for line, _, _, _, count, freed in lines if count]

    def print(self, stream: Optional[TextIO] = None, precision: int = 1) -> None:
        """The tables, and what collections have freed."""
        show_results(self, stream, precision, collections=True)


def _countable(asked):
    """'python'; 'rss', with a warning, where nobody has asked for bytes and they cannot be counted."""
    try:
        _heapwhy.allocated_start()
    except _heapwhy.UnsupportedError as error:
        if asked is not None:
            raise
        warnings.warn(str(error), stacklevel=4)
        return "rss"
    _heapwhy.allocated_stop()
    return "python"


def _start_tracemalloc():
    import tracemalloc
    if not tracemalloc.is_tracing():
        tracemalloc.start()


# ---- showing ----

TEMPLATE = "{0:>6} {1:>12} {2:>12}  {3:>10}   {4:<}"
HEADER = TEMPLATE.format("Line #", "Mem usage", "Increment", "Occurrences", "Line Contents")


def _table(filename, lines, precision):
    number = "{0:%d.%df} MiB" % (precision + 4, precision)
    source = linecache.getlines(filename)
    yield "Filename: " + filename + "\n\n"
    yield HEADER + "\n"
    yield "=" * len(HEADER) + "\n"
    for line, told in lines:
        text = source[line - 1] if 0 < line <= len(source) else "\n"
        # "+ 0.0" turns a negative zero into zero
        columns = (number.format(told[1]), number.format(round(told[0], precision) + 0.0), told[2]) if told else ("", "", "")
        yield TEMPLATE.format(line, *columns, text if text.endswith("\n") else text + "\n")
    yield "\n\n"


def _freed_text(freed):
    if not freed:
        return "and freed nothing that Python's allocators had"
    return "and freed {0:.3f} MiB, which its increment has".format(freed / MIB)


def show_results(prof: LineProfiler, stream: Optional[TextIO] = None, precision: int = 1,
                 collections: bool = False) -> None:
    """Write the tables of a LineProfiler as memory_profiler prints them, by one write(), so that no thread gets between.

    collections: also tell at which lines the garbage collector ran, and what it freed there
    """
    stream = sys.stdout if stream is None else stream
    with uncounted():
        texts = [text for filename, lines in prof.code_map.items() for text in _table(filename, lines, precision)]
        texts += ["Line %d: the garbage collector ran %s %s\n" % (
            line, "once" if count == 1 else "%d times" % count, _freed_text(freed))
            for _, line, count, freed in (prof.collections() if collections else ()) if freed]
        if texts:
            with _writing:
                stream.write("".join(texts))


@overload
def profile(func: _Function, stream: Optional[TextIO] = None, precision: int = 1, backend: Optional[str] = None,
            include_children: bool = False) -> _Function: ...


@overload
def profile(func: None = None, stream: Optional[TextIO] = None, precision: int = 1, backend: Optional[str] = None,
            include_children: bool = False) -> Callable[[_Function], _Function]: ...


def profile(func: Optional[Callable[..., Any]] = None, stream: Optional[TextIO] = None, precision: int = 1,
            backend: Optional[str] = None, include_children: bool = False) -> Callable[..., Any]:
    """Decorator: after each call of the function print its memory line by line.

    stream            where to; standard output when None
    precision         digits after the point
    backend           as in LineProfiler; 'python' when None
    include_children  add the memory of child processes

    Generators, coroutines and methods can be decorated, too. What the function raises is raised after printing.
    Raises TypeError for what is no function, ValueError for a backend that is not known.
    """
    backend_of(backend, DEFAULT_BACKEND)
    precision = whole("precision", precision, 0)
    if func is None:
        return functools.partial(profile, stream=stream, precision=precision, backend=backend,
                                 include_children=include_children)
    if isinstance(func, (staticmethod, classmethod)):
        return _wrapped_inside(func, profile(None, stream, precision, backend, include_children))
    function("what profile() decorates", func, "options are given by name: @profile(precision=3)")
    return _printing(func, lambda: LineProfiler(backend, include_children),
                     lambda profiler: profiler.print(stream, precision))


def _printing(func, make, show):
    if inspect.iscoroutinefunction(func):
        async def wrapper(*args, **kwargs):
            profiler = make()
            try:
                return await profiler(func)(*args, **kwargs)
            finally:
                show(profiler)
    elif inspect.isasyncgenfunction(func):
        async def wrapper(*args, **kwargs):
            profiler = make()
            try:
                async for item in profiler(func)(*args, **kwargs):
                    yield item
            finally:
                show(profiler)
    elif inspect.isgeneratorfunction(func):
        def wrapper(*args, **kwargs):
            profiler = make()
            try:
                return (yield from profiler(func)(*args, **kwargs))
            finally:
                show(profiler)
    else:
        def wrapper(*args, **kwargs):
            profiler = make()
            try:
                return profiler(func)(*args, **kwargs)
            finally:
                show(profiler)
    return functools.wraps(func)(wrapper)


# ---- time stamps ----

class TimeStamper:
    """When functions were entered and left, and how much memory there was: lines for `heapwhy plot`."""

    def __init__(self, backend: Optional[str] = None, include_children: bool = False):
        self.backend = backend_of(backend, "rss")
        self.include_children = include_children
        self.calls = []  # [name, (MiB, time) of entering, the same of leaving or None, depth]
        self._depth = threading.local()

    def _now(self):
        backend = "rss" if self.backend == "python" else self.backend
        return measure(backend, None, self.include_children) / MIB, time.time()

    def __call__(self, func: Optional[Callable[..., Any]] = None, precision: Optional[int] = None) -> Any:
        if func is None:
            return self
        if not callable(func) and not isinstance(func, (staticmethod, classmethod)):
            raise ValueError("Value must be callable")
        return _wrapped_inside(func, self.wrap_function)

    def wrap_function(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with the times of its beginning and end noted."""
        name = "%s.%s" % (func.__module__, func.__qualname__)
        if inspect.iscoroutinefunction(func):
            async def wrapper(*args, **kwargs):
                with self.timestamp(name):
                    return await func(*args, **kwargs)
        elif inspect.isgeneratorfunction(func):
            def wrapper(*args, **kwargs):
                with self.timestamp(name):
                    return (yield from func(*args, **kwargs))
        else:
            def wrapper(*args, **kwargs):
                with self.timestamp(name):
                    return func(*args, **kwargs)
        return functools.wraps(func)(wrapper)

    @contextlib.contextmanager
    def timestamp(self, name: str = "<block>") -> Iterator[None]:
        """A block of code that gets a name in the plot."""
        depth = self._depth.level = getattr(self._depth, "level", -1) + 1
        call = [name, self._now(), None, depth]
        self.calls.append(call)
        try:
            yield
        finally:
            call[2] = self._now()
            self._depth.level = depth - 1

    def show_results(self, stream: Optional[TextIO] = None) -> None:
        """FUNC name MiB time MiB time depth; of each call that has ended."""
        stream = sys.stdout if stream is None else stream
        for name, begin, end, depth in self.calls:
            if end is not None:
                stream.write("FUNC %s %.4f %.4f %.4f %.4f %d\n" % ((name.replace(" ", ""),) + begin + end + (depth,)))


# ---- python -m heapwhy.lines ----

def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m heapwhy.lines", usage="%(prog)s [OPTION]... SCRIPT.py | MODULE [ARGUMENT]...",
        description="Runs a script in which functions are marked with @profile (which needs no import), and prints the "
                    "memory of these line by line.",
        epilog="Example: python -m heapwhy.lines --precision 1 -o lines.txt script.py --its --options")
    parser.add_argument("--version", action="version", version=_heapwhy.version)
    parser.add_argument("--pdb-mmem", dest="max_mem", metavar="MAXMEM", type=float,
                        help="step into the debugger when memory exceeds MAXMEM MiB in a marked function")
    parser.add_argument("--precision", type=number_option(0), default=3, help="digits after the point; default: 3")
    parser.add_argument("-o", dest="out_filename", metavar="FILE", help="append the results to this file")
    parser.add_argument("--timestamp", action="store_true",
                        help="instead of lines: when marked functions were entered and left; into the recording of "
                             "heapwhy watch -- python -m heapwhy.lines --timestamp SCRIPT.py")
    parser.add_argument("--include-children", action="store_true", help="add the memory of child processes")
    parser.add_argument("--backend", choices=sorted(usage.BACKENDS), default=None,
                        help="python: bytes that the thread took from Python's allocators and from malloc, exact (default); rss, uss, pss: "
                             "pages of the process; tracemalloc; the others are names of the same")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="script, or module, with its arguments")
    return parser


def _find_script(name):
    if os.path.isfile(name):
        return name
    for folder in os.get_exec_path():
        if os.path.isfile(os.path.join(folder, name)):
            return os.path.join(folder, name)
    sys.exit("heapwhy.lines: there is no script %s, neither here nor in $PATH" % name)


def _run_script(path, profiler):
    """As `python path`: the script is the module __main__."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__, profile=profiler)
    sys.modules["__main__"] = main
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec")
    exec(code, main.__dict__)


def _run(program, profiler):
    import builtins
    builtins.profile = profiler
    if program[0].endswith(".py") or os.path.isfile(program[0]):
        path = _find_script(program[0])
        sys.argv = [path] + program[1:]
        _run_script(path, profiler)
    else:
        sys.argv = list(program)
        runpy.run_module(program[0], run_name="__main__", init_globals={"profile": profiler}, alter_sys=True)


def _opened(path, parser):
    """The file that the results go to, None for standard output. Before the program runs, which may take long."""
    if not path:
        return contextlib.nullcontext()
    try:
        return open(path, "a")
    except OSError as error:
        parser.error("the results can't be written to %s: %s" % (path, error.strerror))


@contextlib.contextmanager
def _without_reader(stream):
    """Who reads standard output may have had enough, as head(1): that is no error."""
    try:
        yield
        stream.flush()
    except BrokenPipeError:
        with open(os.devnull, "w") as nothing:  # for what is flushed when the interpreter ends
            os.dup2(nothing.fileno(), stream.fileno())


def _show(profiler, args, stream):
    if args.timestamp:
        profiler.show_results(stream)
    elif args.max_mem is None:
        profiler.print(stream, args.precision)


def main(argv: Optional[Sequence[str]] = None) -> None:
    """`python -m heapwhy.lines`; argv: without the program's name."""
    parser = _parser()
    args = parser.parse_args(argv)
    if not args.program:
        parser.error("a program to run must be provided")
    if args.timestamp:
        profiler = TimeStamper(args.backend, args.include_children)
    else:
        profiler = LineProfiler(args.backend, args.include_children, args.max_mem)
    with _opened(args.out_filename or args.timestamp and os.environ.get("HEAPWHY_RECORDING"), parser) as file:
        try:
            _run(args.program, profiler)
        finally:
            stream = file or sys.stdout  # the program may have put another in its place
            with _without_reader(stream):
                _show(profiler, args, stream)


if __name__ == "__main__":
    from heapwhy.lines import main as run_as_imported
    run_as_imported()
