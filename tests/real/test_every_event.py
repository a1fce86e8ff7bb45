# SPDX-License-Identifier: Apache-2.0
"""heapwhy run --every: the recording says of every block what is true, whatever the program does."""
import glob
import json
import os
import signal
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)
import recording  # noqa: E402
import support  # noqa: E402

WORK = os.path.join(HERE, "recorded_work.py")
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
WITH_AGENT = [python for python in support.every_interpreter() if not python.name.startswith("static")]
MAIN = support.interpreters()[0]
HEADERS = (0, 16, 32)  # what lies before an object in its block: nothing, the collector's head, dict and weak references, too


def run(*args, **how):
    command = [os.path.abspath(support.heapwhy_binary()), "run"] + [str(arg) for arg in args]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100,
                          **{"env": support.clean_environment(), **how})


def record(path, *args, **how):
    done = run("-o", path, "--every", support.SYSTEM_PYTHON, *args, **how)
    assert (done.returncode, done.stderr) == (0, "")
    return recording.Recording(path), done.stdout


def block_of(replayed, address):
    found = [replayed.live[address - before] for before in HEADERS if address - before in replayed.live]
    return found[0] if len(found) == 1 else None


def assert_truth(replayed, truth, least, depth=60):
    """Every kept object is in a live block, made where tracemalloc says it was.

    tracemalloc's own blocks, which it takes and gives back amid those of others, are not looked at.
    """
    assert len(truth["kept"]) >= least
    for address, trace in truth["kept"]:
        block = block_of(replayed, address)
        assert block, hex(address)
        stack = [(file, line) for file, _, line in replayed.stack(block.site)]
        assert stack[:len(trace)] == [tuple(frame) for frame in trace][:len(stack)] and len(stack) >= min(len(trace), depth)


@pytest.mark.parametrize("interpreter", WITH_AGENT, ids=lambda python: python.name)
def test_it_says_what_is_true(interpreter, tmp_path):
    place = interpreter.share(str(tmp_path))
    env = {**support.clean_environment(), "LD_PRELOAD": interpreter.share(AGENT), "HEAPWHY_AGENT": "16384",
           "HEAPWHY_AGENT_EVERY": "1", "HEAPWHY_AGENT_FILE": place + "/r", "PYTHONTRACEMALLOC": "64"}
    process = interpreter.popen(WORK, ["objects", "deep", "moved", "remade", "threads", "churn"], env=env,
                                stdout=subprocess.PIPE, text=True)
    out = process.communicate()[0]
    assert process.returncode == 0
    (path,) = glob.glob((interpreter.root or "") + place + "/r.*")
    replayed = recording.Recording(path)
    assert_truth(replayed, json.loads(out), 1300)
    assert replayed.ended and not replayed.missed and replayed.python >> 16 >= 0x309
    assert len(replayed.threads) == 5


def test_amounts_and_size(tmp_path):
    (tmp_path / "work.py").write_text(
        "kept = [bytes(967) for _ in range(5000)]\n"
        "for _ in range(3000):\n    bytes(4967)\n"
        "row = bytearray()\nfor _ in range(1000):\n    row += bytes(100)\n"
        "import os; os._exit(3)")
    done = run("-o", tmp_path / "r", "--every", support.SYSTEM_PYTHON, tmp_path / "work.py")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")
    made = {}

    def each(replayed, kind, addr):
        block = replayed.live[addr]
        (_, _, line), = replayed.stack(block.site)[:1] or [(0, 0, 0)]
        row = made.setdefault((line, block.bytes), [0, 0])
        row[kind == recording.FREE] += 1
    replayed = recording.Recording(tmp_path / "r", each)
    assert replayed.ended and replayed.rate == 0 and replayed.parent_pid == 0
    assert not replayed.unknown_frees and not replayed.replaced
    assert replayed.command == [support.SYSTEM_PYTHON, str(tmp_path / "work.py")]
    assert made[1, 1000] == [5000, 0] and made[3, 5000] == [3000, 3000] and made[6, 133] == [1000, 1000]
    row = [block for block in replayed.live.values() if replayed.stack(block.site)[:1] == [(str(tmp_path / "work.py"), "<module>", 6)]]
    assert len(row) == 1 and row[0].bytes > 100000
    assert len(replayed.data) <= 5 * (replayed.allocs + replayed.frees)


def test_each_process_has_a_file(tmp_path):
    (tmp_path / "parent.py").write_text(
        "import os, subprocess, sys\nkept = bytearray(5555)\n"
        "if not os.fork():\n    kept = bytearray(7777); os._exit(0)\nos.wait()\n"
        "if not os.fork():\n    os._exit(0)\nos.wait()\n"
        "subprocess.run([sys.executable, '-c', 'kept = bytearray(8888); import os; os._exit(0)'])\n"
        "os.execv(sys.executable, [sys.executable, '-c', 'kept = bytearray(9999); import os; os._exit(0)'])\n")
    done = run("-o", "r", "--every", support.SYSTEM_PYTHON, "parent.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    found = {}
    for path in tmp_path.glob("r*"):
        replayed = recording.Recording(path)
        for block in replayed.live.values():
            if block.bytes in (5556, 7778, 8889, 10000):
                found[block.bytes] = path.name, replayed.parent_pid, replayed.ended, replayed.pid
    parent = found[5556][3]
    assert found[5556] == ("r", 0, False, parent)  # what it became goes on elsewhere
    assert found[7778] == ("r.%d" % found[7778][3], parent, True, found[7778][3])
    assert found[8889] == ("r.%d" % found[8889][3], 0, True, found[8889][3])
    assert found[10000] == ("r.%d" % parent, 0, True, parent)


def test_what_was_written_before_a_kill_can_be_read(tmp_path):
    done = run("-o", tmp_path / "r", "--every", support.SYSTEM_PYTHON, "-X", "tracemalloc=10", WORK, "objects", "killed")
    assert done.returncode == -signal.SIGKILL
    replayed = recording.Recording(tmp_path / "r")
    assert not replayed.ended
    assert_truth(replayed, json.loads(done.stdout), 900, depth=10)


def test_a_program_that_closes_everything_is_recorded_on(tmp_path):
    replayed, out = record(tmp_path / "r", "-X", "tracemalloc=10", WORK, "objects", "close_all", "churn", "close_all", "objects")
    assert replayed.ended
    assert_truth(replayed, json.loads(out), 1800, depth=10)


@pytest.mark.parametrize("how", ["ulimit -f 100", "full"])
def test_no_room_for_the_file(how, tmp_path):
    """The recording ends, the program does not."""
    code = "import os, signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nfor i in range(400000): x = [i]\nprint('DONE')"
    place = tmp_path / "r"
    if how == "full":
        place = tmp_path / "small"
        place.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", str(place)], stderr=subprocess.DEVNULL)
        if mounted.returncode:
            pytest.skip("no right to mount")
        place, how = place / "r", "true"
    try:
        command = "%s; exec %s run -o %s --every %s -c \"$CODE\"" % (how, os.path.abspath(support.heapwhy_binary()), place, support.SYSTEM_PYTHON)
        done = subprocess.run(["bash", "-c", command], env={**support.clean_environment(), "CODE": code},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, "DONE\n", "")
        replayed = recording.Recording(place)
        assert not replayed.ended and replayed.complete_bytes == len(replayed.data) <= 256 * 1024 and replayed.allocs > 10000
    finally:
        if place.parent.name == "small":
            subprocess.run(["umount", str(place.parent)])


def test_a_sample_is_recorded(tmp_path):
    code = ("rows = []\nfor i in range(700000): rows.append((i,))\n"
            "del rows[::2]\nimport os; os._exit(0)")
    done = run("-o", tmp_path / "r", "--rate=1KiB", support.SYSTEM_PYTHON, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")
    replayed = recording.Recording(tmp_path / "r")
    assert replayed.ended and replayed.rate == 1024 and not replayed.replaced and not replayed.unknown_frees
    tuples = [block for block in replayed.live.values() if block.bytes == 48]
    assert len(tuples) * (1024 // 48) == pytest.approx(350000, rel=.05)


def test_a_program_that_does_nothing_has_a_file(tmp_path):
    with subprocess.Popen([support.heapwhy_binary(), "run", "-o", tmp_path / "r", support.SYSTEM_PYTHON, "-c",
                           "print('READY', flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        assert not recording.Recording(tmp_path / "r").ended
        process.communicate(b"\n")
    assert recording.Recording(tmp_path / "r").ended


def test_files_that_cannot_be(tmp_path):
    (tmp_path / "other").write_text("something of value")
    done = run("-o", tmp_path / "other", "true")
    assert done.returncode == 2 and "no recording" in done.stderr and (tmp_path / "other").read_text() == "something of value"
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("other")
    for name, what in ("pipe", "no file"), ("link", "no file"), (".", "a directory"):
        done = run("-o", tmp_path / name, "true")
        assert done.returncode == 2 and what in done.stderr and (tmp_path / name).exists()
    done = run("-o", tmp_path / "no" / "r", "true")
    assert done.returncode == 1 and "cannot write" in done.stderr
    for _ in range(2):  # an older recording makes room
        assert record(tmp_path / "r", "-c", "pass")[0].ended
    done = run("--every", support.SYSTEM_PYTHON, "-c", "pass", cwd=tmp_path)
    (path,) = tmp_path.glob("python3-*.hwrec")
    assert done.returncode == 0 and path.name in done.stderr and recording.Recording(path).ended


def test_threads_forks_exceptions_and_signals(tmp_path):
    stress = os.path.join(HERE, "agent_stress.py")
    done = run("-o", tmp_path / "r", "--every", support.SYSTEM_PYTHON, stress, "2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "DONE\n", "")
    with open(tmp_path / "r", "rb") as file:
        assert file.read(8) == b"hwrecord"
    for path in sorted(tmp_path.glob("r.*"))[:3]:
        replayed = recording.Recording(path)
        assert replayed.ended and replayed.parent_pid and not replayed.replaced
