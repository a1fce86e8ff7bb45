# SPDX-License-Identifier: Apache-2.0
"""Memory line by line: exact numbers, which add up, for every kind of code."""
import asyncio
import gc
import io
import json
import os
import subprocess
import sys
import threading
import time

import pytest
from support import SYSTEM_PYTHON, clean_environment, package_pythons, package_site, python_inside

import heapwhy
from heapwhy import LineProfiler

MIB = 1024 * 1024

# The sanitizer's malloc keeps freed blocks for a while: their pages tell nothing.
pages_tell = pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer keeps freed memory")


@pytest.fixture(autouse=True, params=["empty", "full"])
def free_lists(request):
    """A list's own header may come from the free list, and go there: no number may depend on it."""
    gc.collect()
    if request.param == "full":
        kept = [[] for _ in range(300)], [{} for _ in range(300)], [float(i) for i in range(300)]
        del kept


def lines_of(profiler, function):
    """{line's text: (increment, most, occurrences)} of a function's own table, in bytes."""
    import inspect
    function = inspect.unwrap(function)
    source, first = inspect.getsourcelines(function)
    tables = {code: lines for code, lines in profiler._tracer.results()}
    return {source[line - first].strip(): told for line, *told in tables[function.__code__]}


def test_the_example_that_everybody_knows():
    profiler = LineProfiler()

    @profiler
    def my_func():
        a = [1] * (10 ** 6)
        b = [2] * (2 * 10 ** 7)
        del b
        return a

    my_func()
    told = lines_of(profiler, my_func)
    assert abs(told["a = [1] * (10 ** 6)"][0] - 8 * 10 ** 6) < 5000
    assert abs(told["b = [2] * (2 * 10 ** 7)"][0] - 16 * 10 ** 7) < 5000
    assert abs(told["del b"][0] + told["b = [2] * (2 * 10 ** 7)"][0]) < 5000
    nothing, most, *rest = told["return a"]
    assert [nothing, *rest] == [0, 1, 0, 0] and abs(most - told["a = [1] * (10 ** 6)"][1]) < 5000


def test_increments_add_up_in_loops():
    profiler = LineProfiler()

    @profiler
    def loop():
        kept = []
        for i in range(50):
            block = bytearray(100000)
            kept.append(block)
            if i % 10 == 9:
                del kept[:]
        return kept

    for _ in range(3):
        loop()
    told = lines_of(profiler, loop)
    assert told["block = bytearray(100000)"][2] == 150
    assert told["for i in range(50):"][2] == 153
    assert told["del kept[:]"][2] == 15
    # after each "del" the last block is the variable's alone, until its next value comes
    assert abs(told["block = bytearray(100000)"][0] - 138 * 10 ** 5) < 20000
    assert abs(told["del kept[:]"][0] + 135 * 10 ** 5) < 20000
    total = sum(increment for text, (increment, *_) in told.items() if text != "@profiler")
    assert abs(total - 3 * 100064) < 20000, total


def test_recursion_gives_nothing_twice():
    profiler = LineProfiler()

    @profiler
    def down(depth):
        block = bytearray(10 ** 6)
        rest = down(depth - 1) if depth else []
        rest.append(block)
        return rest

    kept = down(4)
    told = lines_of(profiler, down)
    assert abs(told["block = bytearray(10 ** 6)"][0] - 5 * 10 ** 6) < 5000
    assert told["block = bytearray(10 ** 6)"][2] == 5
    assert abs(told["rest = down(depth - 1) if depth else []"][0]) < 5000
    assert len(kept) == 5


def test_what_a_line_calls_belongs_to_it_profiled_or_not():
    profiler = LineProfiler()

    def plain():
        return bytearray(10 ** 6)

    @profiler
    def inner():
        return bytearray(10 ** 6)

    @profiler
    def outer():
        a = plain()
        b = inner()
        return a, b

    outer()
    told = lines_of(profiler, outer)
    assert all(abs(told[line][0] - 10 ** 6) < 5000 for line in ("a = plain()", "b = inner()"))
    assert abs(lines_of(profiler, inner)["return bytearray(10 ** 6)"][0] - 10 ** 6) < 5000


def test_interleaved_generators_keep_their_own_lines():
    profiler = LineProfiler()

    @profiler
    def generate(size):
        block = bytearray(size)
        yield block
        block = None
        yield None

    first, second = generate(10 ** 6), generate(2 * 10 ** 6)
    next(first)
    between = bytearray(5 * 10 ** 6)
    next(second)
    next(first)
    next(second)
    list(first), list(second)
    told = lines_of(profiler, generate)
    assert abs(told["block = bytearray(size)"][0] - 3 * 10 ** 6) < 5000
    assert abs(told["block = None"][0] + 3 * 10 ** 6) < 5000
    assert abs(told["yield block"][0]) < 5000 and len(between)


def test_coroutines_and_asynchronous_generators():
    profiler = LineProfiler()

    @profiler
    async def work(size):
        block = bytearray(size)
        await asyncio.sleep(0.01)
        del block

    @profiler
    async def count():
        for i in range(3):
            yield bytearray(10 ** 6)

    async def main():
        await asyncio.gather(work(10 ** 6), work(2 * 10 ** 6))
        return [len(item) async for item in count()]

    assert asyncio.run(main()) == [10 ** 6] * 3
    told = lines_of(profiler, work)
    assert abs(told["block = bytearray(size)"][0] - 3 * 10 ** 6) < 5000
    assert abs(told["del block"][0] + 3 * 10 ** 6) < 5000
    assert told["block = bytearray(size)"][2] == 2
    assert lines_of(profiler, count)["yield bytearray(10 ** 6)"][2] == 3


def test_threads_do_not_see_each_other():
    profiler = LineProfiler()
    go, done = threading.Event(), threading.Event()

    @profiler
    def waiting():
        go.set()
        done.wait()
        return None

    @profiler
    def taking():
        go.wait()
        kept = bytearray(10 ** 7)
        done.set()
        return kept

    threads = [threading.Thread(target=target) for target in (waiting, taking)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert abs(lines_of(profiler, waiting)["done.wait()"][0]) < 10000
    assert abs(lines_of(profiler, taking)["kept = bytearray(10 ** 7)"][0] - 10 ** 7) < 10000


def test_an_exception_ends_the_lines_that_it_leaves():
    profiler = LineProfiler()

    @profiler
    def fails():
        block = bytearray(10 ** 6)
        raise ValueError(len(block))

    @profiler
    def catches():
        for i in range(3):
            try:
                fails()
            except ValueError:
                pass
        return bytearray(2 * 10 ** 6)

    catches()
    told = lines_of(profiler, catches)
    assert told["fails()"][2] == 3 and told["pass"][2] == 3
    assert abs(told["return bytearray(2 * 10 ** 6)"][0] - 2 * 10 ** 6) < 5000
    assert abs(sum(told[line][0] for line in ("try:", "fails()", "except ValueError:", "pass"))) < 20000


def test_comprehensions_lambdas_and_nested_functions_are_lines_of_the_function():
    profiler = LineProfiler()

    @profiler
    def build():
        kept = [bytearray(10 ** 5)
                for _ in range(20)]
        more = list(map(lambda n: bytearray(n), [10 ** 6]))
        return kept, more

    build()
    told = lines_of(profiler, build)
    assert abs(sum(lines[0] for text, lines in told.items() if text != "@profiler") - 3 * 10 ** 6) < 20000


def test_a_collection_is_noted_and_counts_at_the_line_where_it_ran():
    profiler = LineProfiler()

    class Node:
        pass

    @profiler
    def collects():
        node = Node()
        node.me, node.load = node, bytearray(10 ** 7)
        node = None
        gc.collect()

    gc.collect()
    collects()
    told = lines_of(profiler, collects)
    assert abs(told["node = None"][0]) < 5000
    assert told["gc.collect()"][0] < -10 ** 7 + 5000
    ((_, line, count, freed),) = [row for row in profiler.collections() if row[3] > MIB]
    assert count >= 1 and abs(freed - 10 ** 7) < 200000
    out = io.StringIO()
    profiler.print(out)
    assert "Line %d: the garbage collector ran once and freed 9.5" % line in out.getvalue()


def test_who_traced_before_is_called_too_and_comes_back():
    seen = []

    def tracer(frame, event, arg):
        seen.append(event)
        return tracer

    profiler = LineProfiler()

    @profiler
    def traced():
        a = 1
        return a

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        traced()
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert seen.count("line") >= 2 and lines_of(profiler, traced)["a = 1"][2] == 1


def test_the_decorator_prints_and_keeps_what_the_function_is():
    out = io.StringIO()

    @heapwhy.profile(stream=out, precision=2)
    def documented(n):
        """What it says."""
        return [0] * n

    assert (documented.__name__, documented.__doc__, len(documented(10 ** 6))) == ("documented", "What it says.", 10 ** 6)
    text = out.getvalue().splitlines()
    assert text[0] == "Filename: " + __file__
    assert text[2] == "Line #    Mem usage    Increment  Occurrences   Line Contents"
    assert text[3] == "=" * len(text[2])
    assert [line for line in text if "7.63 MiB           1           return [0] * n" in line], "\n".join(text)
    heapwhy.profile(stream=out)(lambda: 1 / 1)()
    with pytest.raises(ZeroDivisionError):
        heapwhy.profile(stream=out)(lambda: 1 / 0)()

    class Holder:
        @heapwhy.profile(stream=out)
        @staticmethod
        def fixed():
            return 1

        @heapwhy.profile(stream=out)
        def method(self):
            return 2

    assert (Holder.fixed(), Holder().method()) == (1, 2)


@pages_tell
@pytest.mark.parametrize("backend", ["rss", "uss", "pss", "tracemalloc", "psutil"])
def test_other_backends_see_large_blocks(backend):
    profiler = LineProfiler(backend=backend)

    @profiler
    def large():
        block = bytearray(50 * MIB)
        del block

    large()
    told = lines_of(profiler, large)
    assert 40 * MIB < told["block = bytearray(50 * MIB)"][0] < 60 * MIB
    assert -60 * MIB < told["del block"][0] < -40 * MIB


def test_a_backend_that_nobody_knows_is_refused():
    with pytest.raises(ValueError, match="no backend 'psu'"):
        LineProfiler(backend="psu")


SCRIPT = """import sys
@profile
def work(n):
    data = [0] * n
    for i in range(3):
        n += i
    del data
    return n
print("args", sys.argv[1:], __name__, work(10 ** 6))
assert sys.modules["__main__"].work is work
"""


@pytest.mark.parametrize("python", package_pythons())
def test_a_script_on_every_interpreter(python, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    env = {**clean_environment(), "PYTHONPATH": package_site()}
    told = subprocess.run([python, "-m", "heapwhy.lines", "--precision", "1", "script.py", "a", "--b"], cwd=tmp_path,
                          env=env, text=True, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    assert told[0] == "args ['a', '--b'] __main__ 1000003"
    rows = [line.split(None, 6) for line in told[5:12]]
    assert [row[3:6] for row in rows[2:]] == [
        ["7.6", "MiB", "1"], ["0.0", "MiB", "4"], ["0.0", "MiB", "3"], ["-7.6", "MiB", "1"], ["0.0", "MiB", "1"]]
    subprocess.run([python, "-X", "dev", "-m", "heapwhy.lines", "-o", "out.txt", "--backend", "rss", "script.py"],
                   cwd=tmp_path, env=env, stdout=subprocess.DEVNULL, check=True)
    assert "7.6" in (tmp_path / "out.txt").read_text()


def run_lines(folder, *options, **more):
    return subprocess.run([SYSTEM_PYTHON, "-m", "heapwhy.lines", *options, "script.py"], cwd=folder, text=True,
                          env={**clean_environment(), "PYTHONPATH": package_site()}, stderr=subprocess.PIPE, **more)


@pytest.mark.parametrize("options, text", [
    (["-o", "nonexist/x"], "the results can't be written to nonexist/x: No such file"),
    (["--precision", "-1"], "argument --precision: must be 0 or more, not -1"),
    (["--precision", "x"], "invalid int value: 'x'")])
def test_wrong_options_are_told_before_the_program_runs(tmp_path, options, text):
    (tmp_path / "script.py").write_text("open('ran', 'w')\n")
    done = run_lines(tmp_path, *options)
    assert done.returncode == 2 and text in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("status", [0, 3])
def test_a_reader_may_have_had_enough(tmp_path, status):
    (tmp_path / "script.py").write_text("@profile\ndef f():\n    raise SystemExit(%d)\nf()\n" % status)
    reader, writer = os.pipe()
    os.close(reader)
    done = run_lines(tmp_path, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (status, "")


def test_tables_of_threads_are_not_mixed():
    class Slow(io.StringIO):
        def write(self, text):
            time.sleep(.001)  # another thread's turn
            return super().write(text)

    out = Slow()

    @heapwhy.profile(stream=out)
    def work(n):
        return [0] * n

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tables = out.getvalue().split("Filename: ")[1:]
    assert len(tables) == 8 and all(table.splitlines()[1:4] == tables[0].splitlines()[1:4] for table in tables)
    assert all(len(table.splitlines()) == len(tables[0].splitlines()) for table in tables)


def test_a_script_that_fails_is_told_of_and_fails(tmp_path):
    (tmp_path / "script.py").write_text("@profile\ndef f():\n    raise SystemExit(3)\nf()\n")
    done = subprocess.run([SYSTEM_PYTHON, "-m", "heapwhy.lines", "script.py"], cwd=tmp_path, text=True,
                          env={**clean_environment(), "PYTHONPATH": package_site()}, stdout=subprocess.PIPE)
    assert done.returncode == 3 and "raise SystemExit(3)" in done.stdout


def test_time_stamps_of_functions(tmp_path):
    (tmp_path / "script.py").write_text(
        "import time\n@profile\ndef inner():\n    time.sleep(.01)\n@profile\ndef outer():\n    inner()\nouter()\n")
    subprocess.run([SYSTEM_PYTHON, "-m", "heapwhy.lines", "--timestamp", "-o", "out.dat", "script.py"], cwd=tmp_path,
                   env={**clean_environment(), "PYTHONPATH": package_site()}, check=True)
    rows = [line.split() for line in (tmp_path / "out.dat").read_text().splitlines()]
    assert [(row[0], row[1], row[6]) for row in rows] == [("FUNC", "__main__.outer", "0"), ("FUNC", "__main__.inner", "1")]
    assert all(float(row[3]) <= float(row[5]) and float(row[2]) > 1 for row in rows)


def test_into_the_debugger_when_there_is_too_much(tmp_path):
    (tmp_path / "script.py").write_text(
        "@profile\ndef f():\n    a = 1\n    a = bytearray(100 * 2 ** 20)\n    b = 2\n    return b\nf()\n")
    done = subprocess.run([SYSTEM_PYTHON, "-m", "heapwhy.lines", "--pdb-mmem", "80", "script.py"], cwd=tmp_path, text=True,
                          input="p len(a)\nc\n", env={**clean_environment(), "PYTHONPATH": package_site()},
                          stdout=subprocess.PIPE)
    assert "exceeded the maximum of 80.00 MiB" in done.stdout and "104857600" in done.stdout


@pages_tell
def test_calls_leave_nothing_behind():
    assert json.loads(python_inside("""
import gc, json, heapwhy, io
from heapwhy import _heapwhy, LineProfiler
def f(): return 1
profiler = LineProfiler()
g = profiler(f)
def rounds(n):
    for _ in range(n):
        g()
        p = LineProfiler()
        p(f)()
        p.code_map
rounds(200)
gc.collect()
before = len(gc.get_objects()), _heapwhy.rss()
rounds(10000)
gc.collect()
print(json.dumps([len(gc.get_objects()) - before[0], _heapwhy.rss() - before[1], len(gc.callbacks)]))
""")) == [pytest.approx(0, abs=20), pytest.approx(0, abs=10 ** 6), 0]


def test_refusing_interpreters_get_pages_and_a_warning(monkeypatch):
    monkeypatch.setattr(heapwhy._heapwhy, "allocated_start", _refuse)
    with pytest.warns(UserWarning, match="rss"):
        assert LineProfiler().backend == "rss"
    with pytest.raises(heapwhy.UnsupportedError):
        LineProfiler(backend="python")


def _refuse():
    raise heapwhy.UnsupportedError("no sizes; rss")


def test_dependence_on_nothing_else():
    assert not {"psutil", "memory_profiler", "numpy"} & set(json.loads(python_inside(
        "import heapwhy.lines, heapwhy.compat.memory_profiler, sys, json; print(json.dumps(list(sys.modules)))")))
    assert os.path.exists(heapwhy.lines.__file__)
