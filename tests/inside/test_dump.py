# SPDX-License-Identifier: Apache-2.0
"""Snapshots when memory runs out: there and complete or not there, once, and without a trace in the program."""
import json
import os
import re
import stat
import subprocess
import sys
import textwrap

import pytest
from support import SYSTEM_PYTHON, clean_environment, heapwhy, heapwhy_binary, heapwhy_json, package_pythons, package_site

import heapwhy as package
from heapwhy.dump import _groups, _membership, _mounts

READABLE = [python for python in package_pythons() if not python.endswith("-dbg")]  # which fills memory for a minute
PROGRAM = """
import heapwhy, json, os, resource, sys, threading, time
path = sys.argv[1]
class Session:
    def __init__(self): self.data = ["x" * 200]
store = []
def limit(megabytes):
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, resource.RLIM_INFINITY))
def fill(): # ends with MemoryError
    while True: store.append(Session())
def wait_for(path):
    for _ in range(600):
        if os.path.exists(path): return
        time.sleep(0.1)
"""


def run(python, tmp_path, code, *args, environment=None):
    path = os.path.dirname(heapwhy_binary()) + os.pathsep + os.environ["PATH"]
    return subprocess.run([python, "-c", PROGRAM + textwrap.dedent(code), str(tmp_path / "dump.hwsnap"), *args], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=300,
                          env={**clean_environment(), "PYTHONPATH": package_site(), "PATH": path, **(environment or {})})


def check(path):
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    heapwhy("check", path)
    return {row["type"]: row for row in heapwhy_json("types", path, "--all", "--json")["types"]}


@pytest.mark.parametrize("python", READABLE)
def test_a_memory_error_that_nobody_catches(python, tmp_path):
    done = run(python, tmp_path, "limit(140); heapwhy.dump_on_memory_error(path); fill()")
    assert done.returncode == 1 and "heapwhy diagnose" in done.stderr
    assert check(tmp_path / "dump.hwsnap")["__main__.Session"]["objects"] > 10000
    assert os.listdir(tmp_path) == ["dump.hwsnap"]


def test_a_memory_error_of_a_thread(tmp_path):
    done = run(SYSTEM_PYTHON, tmp_path, """
        heapwhy.dump_on_memory_error(path)
        def work(): raise MemoryError
        thread = threading.Thread(target=work); thread.start(); thread.join()
        class Final:
            def __del__(self): raise MemoryError
        Final()
        print(os.listdir(os.path.dirname(path)))
    """)
    assert done.stdout.strip() == "['dump.hwsnap']", done.stderr
    check(tmp_path / "dump.hwsnap")


@pytest.mark.parametrize("python", [python for python in READABLE if re.search("3.1[2-4]", python)])
def test_a_memory_error_that_is_caught(python, tmp_path):
    done = run(python, tmp_path, """
        armed = heapwhy.dump_on_memory_error(path, caught=True)
        try: {}["no"]
        except KeyError: print(armed.taken)
        try: bytearray(1 << 60)
        except MemoryError: print(armed.taken)
        armed.stop()
        try: bytearray(1 << 60)
        except MemoryError: print(armed.taken)
    """)
    assert done.stdout.split() == ["0", "1", "1"], done.stderr
    check(tmp_path / "dump.hwsnap")


def test_other_errors_and_the_hooks_before(tmp_path):
    done = run(SYSTEM_PYTHON, tmp_path, """
        sys.excepthook = lambda kind, value, trace: print("mine", kind.__name__)
        before = sys.excepthook
        armed = heapwhy.dump_on_memory_error(path)
        armed.stop()
        assert sys.excepthook is before
        heapwhy.dump_on_memory_error(path)
        raise KeyError
    """)
    assert done.stdout.strip() == "mine KeyError" and os.listdir(tmp_path) == []


@pytest.mark.parametrize("python", READABLE)
def test_near_a_limit_of_the_process(python, tmp_path):
    done = run(python, tmp_path, """
        limit(300)
        armed = heapwhy.dump_near_limit(path, 0.5, interval=0.02)
        try: fill()
        except MemoryError: store.clear()
        wait_for(path); armed.stop()
        try: print(os.waitpid(-1, os.WNOHANG))
        except ChildProcessError: print("no child")
    """)
    assert done.stdout.strip() == "no child" and "of RLIMIT_AS" in done.stderr
    check(tmp_path / "dump.hwsnap")


def test_near_a_limit_of_the_group(tmp_path):
    """The files of a control group, made by hand: real ones need rights that a test may not have."""
    for name, text in (("memory.current", "950\n"), ("memory.max", "1000\n"), ("memory.stat", "anon 1\ninactive_file 200\n")):
        (tmp_path / name).write_text(text)
    files = [(str(tmp_path / "memory.current"), str(tmp_path / "memory.max"), str(tmp_path / "memory.stat"), "inactive_file ")]
    dump = package._heapwhy.Dump("/bin/true", [])
    assert dump.pressure(files) == ("the control group's limit", 750, 1000)
    (tmp_path / "memory.max").write_text("max\n")
    assert dump.pressure(files) is None


def test_several_snapshots_have_numbers(tmp_path):
    done = run(SYSTEM_PYTHON, tmp_path, """
        import heapwhy.dump
        dump = heapwhy._heapwhy.Dump(heapwhy.dump.find_program(), heapwhy.dump._paths(path, 2))
        print([dump.take() for _ in range(3)])
    """)
    assert done.stdout.strip() == "[True, True, False]", done.stderr
    assert sorted(os.listdir(tmp_path)) == ["dump-2.hwsnap", "dump.hwsnap"]


def test_an_old_file_is_no_success(tmp_path):
    (tmp_path / "dump.hwsnap").write_text("old")
    dump = package._heapwhy.Dump("/bin/false", [str(tmp_path / "dump.hwsnap")], quiet=True)
    assert dump.take() is False and (tmp_path / "dump.hwsnap").read_text() == "old"
    missing = package._heapwhy.Dump("/no/such/program", [str(tmp_path / "other")], quiet=True)
    assert missing.take() is False


def test_a_program_that_hangs_is_ended(tmp_path):
    program = tmp_path / "hangs"
    program.write_text("#!/bin/sh\nexec sleep 1000\n")
    program.chmod(0o700)
    dump = package._heapwhy.Dump(str(program), [str(tmp_path / "dump")], timeout_ms=200, quiet=True)
    assert dump.take() is False


def test_a_fork_takes_none(tmp_path):
    done = run(SYSTEM_PYTHON, tmp_path, """
        armed = heapwhy.dump_near_limit(path, 0.9)
        if os.fork() == 0:
            print(armed._dump.take(), flush=True); armed.stop(); os._exit(0)
        os.wait(); armed.stop()
    """)
    assert done.stdout.strip() == "False" and os.listdir(tmp_path) == []


def test_at_the_end_of_the_program(tmp_path):
    done = run(SYSTEM_PYTHON, tmp_path, "heapwhy.dump_near_limit(path, 0.9); heapwhy.dump_on_memory_error(path)")
    assert done.returncode == 0 and done.stderr == ""


@pytest.mark.parametrize("options, error", [({"fraction": 1.5}, package.UsageError), ({"dumps": 0}, package.UsageError),
                                            ({"path": "/no/such/place/x"}, package.NotFoundError)])
def test_what_can_not_be_is_said_at_once(monkeypatch, options, error):
    monkeypatch.setenv("PATH", os.path.dirname(heapwhy_binary()))
    with pytest.raises(error):
        package.dump_near_limit(**{"path": "/tmp/x", **options})


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="from 3.12 on there is sys.monitoring")
def test_caught_errors_need_monitoring(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.path.dirname(heapwhy_binary()))
    with pytest.raises(package.UsageError, match="3.12"):
        package.dump_on_memory_error(tmp_path / "x", caught=True)


def test_groups_of_both_versions(tmp_path):
    (tmp_path / "cgroup").write_text("4:memory:/app/a\n0::/app\n")
    (tmp_path / "mountinfo").write_text(
        "31 25 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n36 25 0:33 /app /sys/memory rw - cgroup cgroup rw,memory\n")
    files = [usage for usage, *_ in _groups(str(tmp_path))]
    assert files == ["/sys/memory/a/memory.usage_in_bytes", "/sys/memory/memory.usage_in_bytes",
                     "/sys/fs/cgroup/app/memory.current", "/sys/fs/cgroup/memory.current"]
    assert _membership("x\n::\n") == {2: ""} or _membership("x\n") == {}
    assert _mounts("nonsense\n - \n") == {}
    json.dumps(_groups("/no/such/process"))


def test_what_is_armed_says_for_what(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", os.path.dirname(heapwhy_binary()), prepend=os.pathsep)
    with package.dump_on_memory_error(tmp_path / "a.hwsnap", dumps=2) as armed:
        assert repr(armed) == "<heapwhy.OnMemoryError: %s/a.hwsnap, 0 of 2 snapshots begun>" % tmp_path
    assert repr(armed).endswith("begun, stopped>")
    with package.dump_near_limit(tmp_path / "b.hwsnap", 1.0) as armed:
        assert repr(armed) == "<heapwhy.NearLimit: %s/b.hwsnap, 0 of 1 snapshot begun>" % tmp_path
    assert repr(armed).endswith("begun, stopped>")


def test_the_program_needs_room_under_a_hard_limit(tmp_path):
    done = subprocess.run([SYSTEM_PYTHON, "-c", textwrap.dedent("""
        import heapwhy, resource
        heapwhy.dump_on_memory_error("small.hwsnap")
        resource.setrlimit(resource.RLIMIT_AS, (10 << 20,) * 2)
        bytearray(1 << 30)
    """)], cwd=tmp_path, stderr=subprocess.PIPE, text=True, env={
        **clean_environment(), "PYTHONPATH": package_site(),
        "PATH": os.path.dirname(heapwhy_binary()) + os.pathsep + os.environ["PATH"]})
    assert "heapwhy: no snapshot: " in done.stderr and "MemoryError" in done.stderr
    assert os.listdir(tmp_path) == []
