# SPDX-License-Identifier: Apache-2.0
"""Freezing leaves a process as it was, also when the freezing process is killed at any moment.

HEAPWHY_TWINS (200) and HEAPWHY_KILLS (40) say how often; TWINLOOP names the program that freezes.
"""

import ctypes
import http.client
import json
import os
import random
import resource
import signal
import subprocess
import sys
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PYTHON = "/usr/bin/python3"
TWINLOOP = os.environ.get("TWINLOOP") or os.path.join(ROOT, "build", "tests", "real", "twinloop")
TWINS = int(os.environ.get("HEAPWHY_TWINS", "200"))
KILLS = int(os.environ.get("HEAPWHY_KILLS", "40"))
PATIENCE_S = 20

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


# ---- what /proc says ----


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def status(pid, key):
    for line in read(f"/proc/{pid}/status").decode(errors="replace").splitlines():
        if line.startswith(key + ":"):
            return line.split(":", 1)[1].strip()
    return ""


def processes():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(pid):
    return [p for p in processes() if status(p, "PPid") == str(pid)]


def copies_of(pid):
    """Processes with the same command line that are neither pid nor below it: twins."""
    command = read(f"/proc/{pid}/cmdline")
    return [p for p in processes()
            if p != pid and command and read(f"/proc/{p}/cmdline") == command
            and status(p, "PPid") != str(pid)]


def traces_left(pid):
    """What a freeze has left behind; empty: nothing."""
    left = [f"copy {p} {status(p, 'State')}" for p in copies_of(pid)]
    for task in os.listdir(f"/proc/{pid}/task"):
        tracer = status(f"{pid}/task/{task}", "TracerPid")
        state = status(f"{pid}/task/{task}", "State")[:1]
        if tracer not in ("0", "") or state in ("t", "T"):
            left.append(f"thread {task} {state} traced by {tracer}")
    return left


def eventually(function, wanted, patience_s=PATIENCE_S):
    deadline = time.monotonic() + patience_s
    while (got := function()) != wanted and time.monotonic() < deadline:
        time.sleep(0.01)
    assert got == wanted


# ---- targets ----


started = []


def start(*command, **kw):
    if PYTHON in command:  # a mark of its own, by which copies_of() knows it
        command += (f"mark-{os.getpid()}-{time.monotonic_ns()}",)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **kw)
    started.append(process)
    return process


def end(process):
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(autouse=True)
def end_what_was_started():
    yield
    while started:
        end(started.pop())


class Busy:
    """The busy server, with a client that never stops asking."""

    def __enter__(self):
        self.process = start(PYTHON, os.path.join(HERE, "busy_server.py"))
        self.pid = self.process.pid
        self.port = int(self.process.stdout.readline())
        self.asked = 0
        self.failed = []
        self.done = threading.Event()
        self.clients = [threading.Thread(target=self.ask_on) for _ in range(2)]
        for client in self.clients:
            client.start()
        time.sleep(0.5)
        return self

    def ask_on(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.done.is_set():
            try:
                connection.request("GET", "/work")
                answer = connection.getresponse()
                if answer.read() != b"499500" or answer.status != 200:
                    self.failed.append("wrong answer")
            except (OSError, http.client.HTTPException) as problem:
                self.failed.append(repr(problem))
                return
            self.asked += 1
            time.sleep(0.001)
        connection.close()

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=90)
        connection.request("GET", path)
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def check_progress(self):
        """Every loop goes on."""
        before = self.get("/state")
        assert before["errors"] == []

        def stuck():
            now = self.get("/state")["counters"]
            return [name for name, count in before["counters"].items() if now[name] <= count]

        eventually(stuck, [])

    def finish(self):
        self.check_progress()
        self.done.set()
        for client in self.clients:
            client.join()
        assert self.failed == []
        assert self.asked > 10
        final = self.get("/quiet")
        assert final["errors"] == []
        assert final["children"] == []
        assert len([fd for fd in final["new_descriptors"] if not fd.startswith("socket:")]) == 0
        assert len(final["new_descriptors"]) <= 4, final["new_descriptors"]
        assert children_of(self.pid) == []
        eventually(lambda: traces_left(self.pid), [])

    def __exit__(self, *_):
        self.done.set()
        for client in self.clients:
            client.join()
        end(self.process)


def twinloop(*args, **kw):
    done = subprocess.run([TWINLOOP, *map(str, args)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=1800, **kw)
    return done.returncode, done.stdout, done.stderr


def twins(pid, count, *options):
    code, out, err = twinloop(*options, pid, count)
    assert code == 0, err
    print(out.strip())
    return json.loads(out)


# ---- the tests ----


def test_twins_of_a_busy_server():
    with Busy() as busy:
        figures = twins(busy.pid, TWINS)
        assert figures["count"] == TWINS
        assert figures["unreadable_each"] == 0
        busy.finish()


def test_stops_of_a_busy_server():
    with Busy() as busy:
        twins(busy.pid, max(TWINS // 20, 5), "--stop")
        busy.finish()


@pytest.mark.parametrize("options", [[], ["--stop"]])
def test_kill_at_any_moment(options):
    random.seed(os.urandom(8))
    with Busy() as busy:
        for _ in range(KILLS if not options else max(KILLS // 4, 5)):
            loop = subprocess.Popen([TWINLOOP, *options, str(busy.pid), "0"])
            time.sleep(random.random() * 0.12)
            assert loop.poll() is None
            loop.kill()
            loop.wait()
            eventually(lambda: traces_left(busy.pid), [])
        busy.finish()


def test_interrupt_of_the_whole_group():
    with Busy() as busy:
        for _ in range(10):
            loop = subprocess.Popen([TWINLOOP, str(busy.pid), "0"], start_new_session=True)
            time.sleep(random.random() * 0.1)
            os.killpg(loop.pid, signal.SIGINT)
            loop.wait(timeout=60)
            eventually(lambda: traces_left(busy.pid), [])
        busy.finish()


SLEEPER = "import time; print('ready', flush=True); time.sleep(1000)"


def held_twin(pid):
    loop = start(TWINLOOP, "--hold", str(pid), "1")
    assert loop.stdout.readline() == "held\n"
    assert len(copies_of(pid)) == 1
    return loop


def test_twin_dies_with_its_guardian():
    target = start(PYTHON, "-c", SLEEPER)
    target.stdout.readline()
    loop = held_twin(target.pid)
    (guardian,) = children_of(loop.pid)
    os.kill(guardian, signal.SIGKILL)
    eventually(lambda: traces_left(target.pid), [])
    end(loop)
    end(target)


def test_twin_holds_no_descriptor():
    """The other end sees the end of file although a twin exists."""
    target = start(PYTHON, "-c", "import os,time; print('ready', flush=True); time.sleep(0.5);"
                                 "os.close(1); time.sleep(1000)")
    target.stdout.readline()
    loop = held_twin(target.pid)
    (twin,) = copies_of(target.pid)
    assert os.listdir(f"/proc/{twin}/fd") == []
    assert read(f"/proc/{twin}/oom_score_adj") == b"1000\n"
    assert target.stdout.read() == ""
    end(loop)
    end(target)


def test_stopped_process_stays_stopped():
    target = start(PYTHON, "-c", "import time\nprint('ready', flush=True)\nwhile True: time.sleep(.01)")
    target.stdout.readline()
    target.send_signal(signal.SIGSTOP)
    eventually(lambda: status(target.pid, "State")[:1], "T")
    for options in ([], ["--stop"]):
        twins(target.pid, 5, *options)
        assert status(target.pid, "State")[:1] == "T"
    target.send_signal(signal.SIGCONT)
    eventually(lambda: status(target.pid, "State")[:1] in "RS", True)
    end(target)


CHILD_WATCHER = """
import ctypes, os, signal, sys, time
came = []
signal.signal(signal.SIGCHLD, lambda *_: came.append(1))
libc = ctypes.CDLL(None)
if "subreaper" in sys.argv:
    libc.prctl(36, 1, 0, 0, 0)
print(os.getpid(), flush=True)
while sys.stdin.read(1) == "?":
    try:
        child = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        child = None
    # __WALL sees what an ordinary wait does not
    any_child = libc.waitpid(-1, None, 0x40000001)
    print(len(came), child, any_child, flush=True)
"""


@pytest.mark.parametrize("kind", ["plain", "subreaper", "init"])
def test_target_meets_no_child(kind):
    command = [PYTHON, "-c", CHILD_WATCHER, kind]
    if kind == "init":
        if os.geteuid() != 0:
            pytest.skip("needs root")
        command = ["unshare", "--pid", "--fork", "--kill-child", *command]
    target = start(*command, stdin=subprocess.PIPE)
    target.stdout.readline()
    pid = target.pid if kind != "init" else children_of(target.pid)[0]
    twins(pid, 20)
    time.sleep(0.1)
    target.stdin.write("?")
    target.stdin.flush()
    assert target.stdout.readline() == "0 None -1\n"
    eventually(lambda: traces_left(pid), [])
    target.stdin.close()
    end(target)


# ---- refusals ----


def refusal(*args, **kw):
    code, out, err = twinloop(*args, **kw)
    assert code == 1 and out == ""
    return err


def test_traced_process_is_busy():
    target = start(PYTHON, "-c", SLEEPER)
    target.stdout.readline()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.ptrace(0x4206, target.pid, None, None) == 0  # PTRACE_SEIZE
    message = refusal(target.pid, 1)
    assert "already being traced" in message and str(os.getpid()) in message
    end(target)


SECCOMP = """
import ctypes, time
libc = ctypes.CDLL(None)
allow = (ctypes.c_uint16 * 4)(0x06, 0, 0, 0x7fff)
class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc.prctl(38, 1, 0, 0, 0)
program = Program(1, ctypes.cast(allow, ctypes.c_void_p))
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0
print("ready", flush=True)
time.sleep(1000)
"""


def test_filtered_process_gets_no_twin():
    target = start(PYTHON, "-c", SECCOMP)
    assert target.stdout.readline() == "ready\n"
    message = refusal(target.pid, 1)
    assert "seccomp" in message and "--freeze=stop" in message
    twins(target.pid, 1, "--stop")
    end(target)


@needs_root
def test_process_limit():
    def lower():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
        os.setgid(65534)
        os.setuid(65534)

    target = start(PYTHON, "-c", SLEEPER, preexec_fn=lower)
    target.stdout.readline()
    message = refusal(target.pid, 1)
    assert "RLIMIT_NPROC" in message and "--freeze=stop" in message
    twins(target.pid, 1, "--stop")
    assert traces_left(target.pid) == []
    end(target)


@needs_root
def test_other_user_is_told_what_helps(tmp_path):
    target = start(PYTHON, "-c", SLEEPER)
    target.stdout.readline()

    def lower():
        os.setgid(65534)
        os.setuid(65534)

    copy = tmp_path / "twinloop"
    copy.write_bytes(read(TWINLOOP))
    copy.chmod(0o755)
    for directory in (tmp_path, *tmp_path.parents[:-2]):
        directory.chmod(0o755)
    done = subprocess.run([str(copy), str(target.pid), "1"], stderr=subprocess.PIPE, text=True,
                          preexec_fn=lower)
    assert done.returncode == 1
    assert "user id" in done.stderr and f"sudo heapwhy {target.pid}" in done.stderr
    end(target)


def test_no_such_process():
    assert "no process" in refusal(2 ** 22 + 5, 1)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
