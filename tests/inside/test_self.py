# SPDX-License-Identifier: Apache-2.0
"""Freezing ourselves: the program notices nothing, whatever it does meanwhile."""
import json
import os
import signal
import subprocess
import time

import pytest
from support import SYSTEM_PYTHON, clean_environment, package_pythons, package_site, python_inside

LEFT_BEHIND = """
import os, threading
def left_behind():
    children = []
    for tid in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/children" % tid) as file:
            children += file.read().split()
    return len(os.listdir("/proc/self/fd")), children
"""


@pytest.mark.parametrize("python", package_pythons())
def test_every_interpreter_is_read_or_refused_with_a_reason(python):
    told = json.loads(python_inside("""
import json, sys, heapwhy
class Item: pass
keep = [Item() for _ in range(321)]
try:
    kept = heapwhy.snapshot()
    rows = list(kept.types())
    s = heapwhy.snapshot()
    print(json.dumps({"items": len(s.objects(Item)), "own": [row.type for row in s.types() if "heapwhy" in row.type],
                      "unexplained": [row.type for row in s.audit()]}))
except heapwhy.UnsupportedError as error:
    print(json.dumps({"refused": str(error), "version": "%d.%d" % sys.version_info[:2]}))
""", python))
    if "refused" in told:
        assert told["version"] in told["refused"]
    else:
        assert told == {"items": 321, "own": [], "unexplained": []}


@pytest.mark.parametrize("copy", [True, False])
def test_hundreds_of_snapshots_under_threads_leave_nothing(copy):
    told = json.loads(python_inside(LEFT_BEHIND + """
import heapwhy, json, sys, time
class Item: pass
stop = threading.Event()
def work():
    mine = []
    while not stop.is_set():
        mine.append(Item()); del mine[:-100]
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
def rss():
    with open("/proc/self/statm") as file: return int(file.read().split()[1]) * 4096
copy, count = int(sys.argv[1]), int(sys.argv[2])
def look():
    with heapwhy.snapshot(copy=copy) as s: return s.facts.objects
for _ in range(20): look()
before, start = left_behind(), rss()
objects = [look() for _ in range(count)]
stop.set()
for thread in threads: thread.join()
print(json.dumps({"before": before, "after": left_behind(), "grown": rss() - start, "objects": [min(objects), max(objects)]}))
""", args=[int(copy), 200 if copy else 30], timeout=600))
    assert told["after"] == told["before"]
    assert told["after"][1] == []
    assert told["grown"] < 8 << 20
    low, high = told["objects"]
    assert high - low < 2000


def test_the_program_hears_of_no_child():
    told = json.loads(python_inside("""
import heapwhy, json, os, signal
heard = []
signal.signal(signal.SIGCHLD, lambda *_: heard.append(1))
os.register_at_fork(before=lambda: heard.append("fork"))
answers = []
for _ in range(5):
    heapwhy.snapshot()
    try: answers.append(os.waitpid(-1, os.WNOHANG))
    except ChildProcessError: answers.append("no child")
print(json.dumps([heard, answers]))
"""))
    assert told == [[], ["no child"] * 5]


def test_other_threads_run_on_while_it_is_read():
    told = json.loads(python_inside("""
import heapwhy, json, threading, time
keep = [{str(i): [i]} for i in range(200000)]
ticks, stop = [0], threading.Event()
def tick():
    while not stop.is_set():
        ticks[0] += 1
        time.sleep(0.001)
thread = threading.Thread(target=tick); thread.start()
before = ticks[0]
s = heapwhy.snapshot()
print(json.dumps([ticks[0] - before, s.facts.pause_ns, s.facts.capture_ns]))
stop.set(); thread.join()
"""))
    ticks, pause, capture = told
    assert ticks > 10
    assert pause < capture


def start_inside(code, *options):
    return subprocess.Popen([SYSTEM_PYTHON, *options, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, env={**clean_environment(), "PYTHONPATH": package_site()})


BIG = """
import heapwhy, sys
keep = [{str(i): [i]} for i in range(700000)]
print("READY", flush=True)
"""


def test_ctrl_c_ends_it():
    process = start_inside(BIG + """
count = 0
try:
    while True:
        heapwhy.snapshot(); count += 1
except KeyboardInterrupt:
    print("interrupted", flush=True)
heapwhy.snapshot(values=False).close()
print("and goes on", flush=True)
""")
    assert process.stdout.readline() == "READY\n"
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (out, process.returncode) == ("interrupted\nand goes on\n", 0), err


def copies_of(pid):
    done = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", str(pid)], stdout=subprocess.PIPE, text=True)
    return [int(line.split()[0]) for line in done.stdout.splitlines() if "heapwhy-copy" in line]


def wait_for(what, seconds=60):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.005)
    raise AssertionError("it did not happen in %d s" % seconds)


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_no_copy_outlives_a_killed_process():
    process = start_inside(BIG + "while True: heapwhy.snapshot()")
    assert process.stdout.readline() == "READY\n"
    copies = wait_for(lambda: copies_of(process.pid))
    process.kill()
    process.wait()
    wait_for(lambda: not any(is_alive(copy) for copy in copies))
    process.stdout.close()
    process.stderr.close()


def test_forks_while_it_is_read():
    told = json.loads(python_inside("""
import heapwhy, json, os, threading, sys
keep = [{str(i): [i]} for i in range(100000)]
done, codes = threading.Event(), []
def fork_on():
    while not done.is_set():
        pid = os.fork()
        if not pid:
            code = 1
            try:
                code = 0 if len(heapwhy.types()) > 10 else 2
            finally:
                os._exit(code)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
thread = threading.Thread(target=fork_on); thread.start()
kept = heapwhy.snapshot()
for _ in range(4):
    heapwhy.snapshot().types()
    kept.cycles()
done.set(); thread.join()
print(json.dumps(codes))
""", timeout=300))
    assert told and set(told) == {0}


@pytest.mark.parametrize("options", [[], ["-X", "dev"]])
def test_at_interpreter_exit(options):
    process = start_inside("""
import atexit, heapwhy, threading, time
class Item: pass
keep = [Item() for _ in range(50)]
atexit.register(lambda: print(len(heapwhy.snapshot().objects(Item)), flush=True))
def forever():
    while True: heapwhy.snapshot().types()
threading.Thread(target=forever, daemon=True).start()
time.sleep(0.3)
""", *options)
    out, err = process.communicate(timeout=120)
    assert (out, err, process.returncode) == ("50\n", "", 0)


def test_a_finalizer_may_take_one():
    """The collector runs then, and does not end before we do."""
    told = json.loads(python_inside("""
import gc, heapwhy, json
class Node:
    def __del__(self): seen.append(heapwhy.snapshot().facts)
seen = []
node = Node(); node.self = node
del node
gc.collect()
print(json.dumps([seen[0].collector_running, seen[0].objects > 1000]))
"""))
    assert told == [True, True]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may make no process")
def test_memory_is_copied_where_no_process_may_be_made():
    told = json.loads(python_inside("""
import heapwhy, heapwhy.snapshots, json, os, resource
class Item: pass
keep = [Item() for _ in range(77)]
os.setgid(65534); os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
s = heapwhy.snapshot()
print(json.dumps([s.facts.freeze, len(s.objects(Item))]))
"""))
    assert told == ["stop", 77]


@pytest.mark.parametrize("python", package_pythons())
def test_a_fork_in_the_middle_of_an_import_waits_for_it(python):
    told = json.loads(python_inside("""
import importlib.machinery, json, os, sys, threading, time
import heapwhy
begun = threading.Event()
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "heapwhy.edges":
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            run = spec.loader.exec_module
            spec.loader.exec_module = lambda module: (begun.set(), time.sleep(0.5), run(module))
            return spec
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: heapwhy.referrers)
thread.start()
begun.wait()
child = os.fork()
if child == 0:
    heapwhy.referrers([])  # it would never come back
    os._exit(7)
thread.join()
status = None
for _ in range(300):
    done, status = os.waitpid(child, os.WNOHANG)
    if done:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    os.waitpid(child, 0)
print(json.dumps(status))
""", python))
    assert told == 7 << 8
