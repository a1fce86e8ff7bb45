# SPDX-License-Identifier: Apache-2.0
"""heapwhy attach and detach: the agent comes and goes, and whatever happens the program is as before."""
import contextlib
import ctypes
import glob
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

WORK = os.path.join(HERE, "attach_work.py")
HEAPWHY = os.path.abspath(support.heapwhy_binary())
BUILD = os.path.dirname(HEAPWHY)
REGISTERS = os.path.join(BUILD, "tests/real/libattach-registers.so")
MAIN = support.interpreters()[0]
NOBODY = 65534
RATE = "--rate=1KiB"


class Target:
    def __init__(self, process, place):
        self.process, self.pid, self.place = process, process.pid, place

    def ask(self, word):
        self.process.stdin.write(word + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def grow(self):
        assert self.ask(b"grow") == b"GROWN\n"

    def end(self):
        assert self.ask(b"end") == b"BAD 0\n"
        assert self.process.wait(100) == 0
        assert self.process.stderr.read() == b""


@contextlib.contextmanager
def target(interpreter, *args, script=WORK, **options):
    """script, which has said READY, with pipes to talk to it."""
    place = interpreter.share(os.path.dirname(script))
    command = interpreter.command(os.path.join(place, os.path.basename(script)), args)
    environment = {**support.clean_environment(), **options.pop("env", {})}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment, **options)
    try:
        support.wait_until_ready(process, None)
        yield Target(process, place)
    finally:
        process.kill()
        process.communicate()
        interpreter.forget(place)


def heapwhy(*args, binary=HEAPWHY, **options):
    done = subprocess.run([binary] + [str(arg) for arg in args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=support.HEAPWHY_TIMEOUT_S, **options)
    return done.returncode, done.stdout, done.stderr


def works(*args):
    status, out, err = heapwhy(*args)
    assert (status, err) == (0, ""), err
    return out


def refused(*args, **options):
    status, out, err = heapwhy(*args, **options)
    assert (status, out) == (1, "") and err.startswith("heapwhy: ") and err.count("\n") == 1
    return err


def bytes_grown(pid):
    with open(WORK, encoding="utf-8") as source:
        line = next(number for number, text in enumerate(source, 1) if "# 1,000 bytes each" in text)
    rows = support.heapwhy_json("sites", "--json", pid)["sites"]
    return sum(row["bytes"] for row in rows if row["file"].endswith("attach_work.py") and row["line"] == line)


def comes_and_goes(there):
    """Twice: what is allocated between is known; what is not, is not."""
    for times in 1, 2:
        works("attach", RATE, there.pid)
        there.grow()
        assert bytes_grown(there.pid) == pytest.approx(20e6, rel=.05)
        works("detach", there.pid)
        assert "heapwhy attach %d" % there.pid in refused("sites", there.pid)
        there.grow()


EVERY_WAY = ("busy", "sleep", "poll", "select", "read", "call", "fork", "threads", "asyncio")
CASES = [(MAIN, way) for way in EVERY_WAY] + [
    (python, way) for python in support.every_interpreter()[1:] for way in ("threads", "poll")]


@pytest.mark.parametrize("interpreter,way", CASES, ids=lambda value: getattr(value, "name", value))
def test_it_comes_and_goes(interpreter, way):
    with target(interpreter, way) as there:
        comes_and_goes(there)
        there.end()


def test_handlers_of_others_before_a_fork_may_allocate(tmp_path):
    """The agent's handler comes before those that were registered before it."""
    (tmp_path / "forks.py").write_text(
        "import ctypes, os, sys, threading, time\n"
        "before = ctypes.CFUNCTYPE(None)(lambda: [str(i) for i in range(5000)])\n"
        "ctypes.CDLL(None).__register_atfork(before, None, None, None)\n"
        "threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n"
        "print('READY', flush=True)\n"
        "for line in sys.stdin:\n"
        "    for _ in range(100):\n"
        "        pid = os.fork()\n"
        "        if not pid:\n"
        "            os._exit(0)\n"
        "        os.waitpid(pid, 0)\n"
        "    print('FORKED', flush=True)\n")
    with target(MAIN, script=str(tmp_path / "forks.py")) as there:
        works("attach", RATE, there.pid)
        assert there.ask(b"fork") == b"FORKED\n"
        works("detach", there.pid)


def test_what_calls_do_not_preserve_is_kept():
    with target(MAIN, "registers", REGISTERS) as there:
        for times in range(15):
            works("attach", there.pid)
            works("detach", there.pid)
        there.end()


def test_twenty_times():
    with target(MAIN, "threads") as there:
        for times in range(20):
            works("attach", RATE, there.pid)
            works("detach", there.pid)
        mapped = [line for line in open("/proc/%d/maps" % there.pid) if "libheapwhy-agent" in line]
        assert len({line.split()[4] for line in mapped}) == 1
        comes_and_goes(there)
        there.end()


def test_json_and_text():
    with target(MAIN, "poll") as there:
        told = support.heapwhy_json("attach", "--json", RATE, there.pid)
        assert (told["did"], told["pid"], told["rate"], told["by"]) == ("attach", there.pid, 1024, "call")
        assert told["was_loaded"] is False and told["tries"] >= 2 and 0 < told["pause_ms"] < told["took_ms"]
        told = support.heapwhy_json("detach", "--json", there.pid)
        assert (told["did"], told["was_loaded"], told["passes"]) == ("detach", True, False)
        assert "heapwhy detach %d" % there.pid in works("attach", there.pid)
        assert "stays mapped" in works("detach", there.pid).replace("\n", " ")
        there.end()


def test_a_recording_that_is_ended_has_no_end_of_the_program(tmp_path):
    process = subprocess.Popen([HEAPWHY, "run", "-o", tmp_path / "r", support.SYSTEM_PYTHON, WORK, "poll"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.clean_environment())
    support.wait_until_ready(process, None)
    there = Target(process, None)
    works("detach", there.pid)
    there.grow()
    there.end()
    profile = support.heapwhy_json("allocations", "--json", tmp_path / "r")["profile"]
    assert not profile["complete"] and not profile["damage"]


def test_of_a_program_that_heapwhy_run_started():
    process = subprocess.Popen([HEAPWHY, "run", RATE, support.SYSTEM_PYTHON, WORK, "poll"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=support.clean_environment())
    support.wait_until_ready(process, None)
    there = Target(process, None)
    assert "has the agent already" in refused("attach", there.pid)
    works("detach", there.pid)
    comes_and_goes(there)
    works("attach", RATE, there.pid)
    there.grow()
    domains = {domain["name"] for domain in support.heapwhy_json("sites", "--json", there.pid)["domains"]}
    assert "mmap" not in domains  # Python's own arenas are Python's
    there.end()


def test_who_has_put_himself_before_it_stays():
    code = ("import sys, tracemalloc\nprint('READY', flush=True)\n"
            "for line in sys.stdin: exec(line); print('DONE', flush=True)\n")
    process = subprocess.Popen([support.SYSTEM_PYTHON, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               env=support.clean_environment())
    support.wait_until_ready(process, None)
    there = Target(process, None)
    try:
        works("attach", there.pid)
        there.ask(b"tracemalloc.start()")
        assert support.heapwhy_json("detach", "--json", there.pid)["passes"] is True
        there.ask(b"kept = [bytes(1000) for _ in range(1000)]")
        assert "tracemalloc" in refused("attach", there.pid)
        there.ask(b"assert tracemalloc.get_traced_memory()[0] > 1000000; tracemalloc.stop()")
        works("attach", RATE, there.pid)
        there.ask(b"more = [bytes(1000) for _ in range(1000)]")
        assert support.heapwhy_json("sites", "--json", there.pid)["bytes"] == pytest.approx(1e6, rel=.3)
        assert support.heapwhy_json("detach", "--json", there.pid)["passes"] is False
        assert there.ask(b"print('DONE')") == b"DONE\n"
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", (signal.SIGKILL, signal.SIGINT), ids=("killed", "interrupted"))
@pytest.mark.parametrize("way", ("poll", "threads"))
def test_heapwhy_may_end_at_any_moment(way, number):
    ended = 0
    with target(MAIN, way) as there:
        for times in range(30):
            command = [HEAPWHY, random.choice(("attach", "detach")), str(there.pid)]
            reader = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(random.random() ** 2 * .02)
            reader.send_signal(number)
            ended += reader.wait() not in (0, 1)
        heapwhy("detach", there.pid)
        comes_and_goes(there)
        there.end()
    assert ended


def test_the_program_may_end_at_any_moment():
    for times in range(15):
        with target(MAIN, random.choice(("threads", "poll"))) as there:
            reader = subprocess.Popen([HEAPWHY, "attach", str(there.pid)], stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, text=True)
            time.sleep(random.random() * .02)
            there.process.kill()
            out, err = reader.communicate(timeout=100)
            assert reader.returncode in (0, 1) and (reader.returncode == 0 or err.startswith("heapwhy: "))


def test_refusals():
    assert "there is no process" in refused("attach", 2 ** 22 + 1)
    assert heapwhy("attach", "x")[0] == 2 and heapwhy("detach")[0] == 2
    sleeper = subprocess.Popen(["sleep", "100"])
    assert "not a Python process" in refused("attach", sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert "has exited" in refused("attach", sleeper.pid)
    sleeper.wait()
    with target(MAIN, "poll") as there:
        assert "has no agent" in refused("detach", there.pid)
        there.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, there.pid, os.WSTOPPED | os.WNOWAIT)
        assert "kill -CONT" in refused("attach", there.pid)
        there.process.send_signal(signal.SIGCONT)
        works("attach", there.pid)
        assert "has the agent already" in refused("attach", there.pid)
        there.end()


def filter_system_calls():
    """A filter that lets everything pass: linux/filter.h, linux/seccomp.h."""
    libc = ctypes.CDLL(None)
    allow_all = ctypes.create_string_buffer(b"\x06\0\0\0\0\0\xff\x7f", 8)
    program = (ctypes.c_ulong * 2)(1, ctypes.addressof(allow_all))
    libc.prctl(38, 1, 0, 0, 0)
    libc.prctl(22, 2, ctypes.byref(program), 0, 0)


def test_a_filter_of_system_calls():
    with target(MAIN, "poll", preexec_fn=filter_system_calls) as there:
        assert "--allow-seccomp" in refused("attach", there.pid)
        works("attach", "--allow-seccomp", there.pid)
        works("detach", "--allow-seccomp", there.pid)
        there.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_other_users():
    shutil.copy(WORK, "/tmp/heapwhy-test-attach.py")
    os.chmod("/tmp/heapwhy-test-attach.py", 0o644)
    before = glob.glob("/tmp/heapwhy-????????????????")
    try:
        with target(MAIN, "poll", script="/tmp/heapwhy-test-attach.py", user=NOBODY, group=NOBODY, cwd="/") as there:
            works("attach", RATE, there.pid)
            works("detach", there.pid)
            there.end()
    finally:
        os.unlink("/tmp/heapwhy-test-attach.py")
    assert glob.glob("/tmp/heapwhy-????????????????") == before


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_without_the_right():
    folder = "/tmp/heapwhy-test-right"
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    try:
        shutil.copy(HEAPWHY, folder)
        shutil.copy(os.path.join(BUILD, "src/agent/libheapwhy-agent.so"), folder)
        with target(MAIN, "poll") as there:
            said = refused("attach", there.pid, binary=os.path.join(folder, "heapwhy"), user=NOBODY, group=NOBODY, cwd="/")
            assert "belongs to user id 0" in said
            there.end()
    finally:
        shutil.rmtree(folder)


NEWEST = [python for python in support.every_interpreter() if python.version == "3.14"] if not os.environ.get(
    "HEAPWHY_PYTHONS") else []


@pytest.mark.skipif(not NEWEST, reason="needs Python 3.14")
def test_the_interpreter_does_it_where_it_can():
    """PEP 768: when it comes by; when it doesn't, a call does it; when its owner forbids it, nobody."""
    with target(NEWEST[0], "sleep") as there:
        ways = set()
        for times in range(5):  # one that gets no processor for a second is no matter
            ways.add(support.heapwhy_json("attach", "--json", there.pid)["by"])
            ways.add(support.heapwhy_json("detach", "--json", there.pid)["by"])
        assert "interpreter" in ways
        there.end()
    with target(NEWEST[0], "read") as there:
        assert support.heapwhy_json("attach", "--json", there.pid)["by"] == "call"
        assert support.heapwhy_json("detach", "--json", there.pid)["by"] == "call"
        there.end()
    with target(NEWEST[0], "sleep", env={"PYTHON_DISABLE_REMOTE_DEBUG": "1"}) as there:
        assert "PYTHON_DISABLE_REMOTE_DEBUG" in refused("attach", there.pid)
        there.end()
