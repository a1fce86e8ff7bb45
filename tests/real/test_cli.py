# SPDX-License-Identifier: Apache-2.0
"""The command line as a user or a script meets it: what it prints where, and how it exits."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

COMMANDS = ["diagnose", "snapshot", "types", "diff", "holders", "owners", "paths", "show", "memory",
            "gc", "retained", "tree", "cycles", "resources", "audit", "text", "watch", "plot", "check",
            "help"]
PAGES = ["heapwhy"] + ["heapwhy-" + name for name in COMMANDS if name != "help"]
ESCAPE = re.compile("\x1b")
NO_SUCH_PID = "4194305"  # above the kernel's largest PID_MAX_LIMIT

TARGET = """
import time
class Session:
    def __init__(self, number):
        self.number = number
        self.name = "user-%d" % number
hub = {number: Session(number) for number in range(500)}
evil = "\\x1b[31mred\\x07\\u202e"
print("READY", flush=True)
while True:
    time.sleep(3600)
"""

LEAKING = """
import time
class Session:
    def __init__(self):
        self.buffer = bytearray(200)
hub = []
print("READY", flush=True)
while True:
    hub.extend(Session() for _ in range(20))
    time.sleep(0.01)
"""


def run(*args, columns=None, **kw):
    kw.setdefault("timeout", 120)
    env = {**os.environ, **kw.pop("env", {}), "COLUMNS": str(columns)}
    if not columns:
        env.pop("COLUMNS", None)
    return subprocess.run([support.heapwhy_binary(), *map(str, args)], stdin=subprocess.DEVNULL,
                          stdout=kw.pop("stdout", subprocess.PIPE), stderr=subprocess.PIPE,
                          text=True, env=env, **kw)


def assert_one_line_error(done, status, *words):
    lines = done.stderr.splitlines()
    assert done.returncode == status, done.stderr
    assert lines and lines[0].startswith("heapwhy: "), done.stderr
    if status == 1:
        assert len(lines) == 1, done.stderr
    for word in words:
        assert word in done.stderr


def start(program, directory):
    path = os.path.join(str(directory), "target.py")
    with open(path, "w") as script:
        script.write(program)
    process = subprocess.Popen([support.SYSTEM_PYTHON, path], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"READY\n"
    return process


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    process = start(TARGET, tmp_path_factory.mktemp("target"))
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def leaking(tmp_path):
    process = start(LEAKING, tmp_path)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture(scope="module")
def heap(target, tmp_path_factory):
    path = tmp_path_factory.mktemp("heap") / "one.hwsnap"
    done = run("snapshot", target.pid, "-o", path)
    assert done.returncode == 0, done.stderr
    return str(path)


# ---- help and usage ----

@pytest.mark.parametrize("args", [["--help"], ["-h"], ["help"]])
def test_program_help_lists_every_command(args):
    done = run(*args)
    assert done.returncode == 0 and not done.stderr
    assert done.stdout.startswith("Usage: heapwhy ")
    for name in COMMANDS:
        assert re.search(r"^  %s  +\S" % name, done.stdout, re.M)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_help_has_examples_and_fits(command):
    done = run("help", command)
    assert done.returncode == 0
    assert done.stdout == run(command, "--help").stdout
    assert done.stdout.startswith("Usage: heapwhy %s [OPTION]... " % command)
    assert re.search(r"^Examples\n  heapwhy ", done.stdout, re.M)
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_parse(command, tmp_path):
    """Every example of ours is a command line that the parser accepts."""
    examples = run("help", command).stdout.split("\nExamples\n")[1]
    lines = [line.strip() for line in examples.splitlines() if re.match(r"  \S", line)]
    commands = [part.split() for line in lines for part in re.split(r"[;|>]", line)]
    for words in (words for words in commands if words[:1] == ["heapwhy"]):
        words = [re.sub("^[0-9]{4,}$", NO_SUCH_PID, word).replace("/var/tmp", str(tmp_path))
                 for word in words[1:]]
        try:
            done = run(*words, cwd=tmp_path, timeout=1 if words[:1] == ["watch"] else 120)
        except subprocess.TimeoutExpired:  # it has understood, and waits for such a process
            continue
        assert done.returncode in (0, 1), (words, done.stderr)


def test_version():
    done = run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"heapwhy \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("args, usage", [
    ([], "[COMMAND] [OPTION]... PID"),
    (["typos"], "[COMMAND] [OPTION]... PID"),
    (["--nope", "1"], "[COMMAND] [OPTION]... PID"),
    (["types"], "types [OPTION]... X"),
    (["types", "1", "--interval=5s"], "types [OPTION]... X"),
    (["types", "1", "2"], "types [OPTION]... X"),
    (["diff", "a"], "diff [OPTION]... A B [C...]"),
    (["snapshot", "1"], "snapshot [OPTION]... PID -o FILE"),
    (["snapshot", "file", "-o", "x"], "snapshot [OPTION]... PID -o FILE"),
    (["snapshot", "1", "-o", "-"], "snapshot [OPTION]... PID -o FILE"),
    (["1", "-n", "0"], "diagnose [OPTION]... PID | FILE..."),
    (["1", "-i", "fast"], "diagnose [OPTION]... PID | FILE..."),
    (["1", "2"], "diagnose [OPTION]... PID | FILE..."),
    (["help", "nothing"], "help [OPTION]... [COMMAND]"),
])
def test_wrong_usage(args, usage):
    done = run(*args)
    assert_one_line_error(done, 2, "\nUsage: heapwhy %s\n" % usage)
    assert not done.stdout


# ---- failures ----

@pytest.mark.parametrize("args", [
    ["types"], ["snapshot", "-o", "never.hwsnap"], ["diagnose"], ["text"], ["text", "--ndjson"]])
def test_no_such_process(args, tmp_path):
    done = run(*args, NO_SUCH_PID, cwd=tmp_path)
    assert_one_line_error(done, 1, NO_SUCH_PID)
    assert not done.stdout and not os.listdir(tmp_path)


def test_a_number_too_large_for_a_pid():
    assert_one_line_error(run("99999999999999999999"), 1, "99999999999999999999")


def test_not_python():
    process = subprocess.Popen(["sleep", "60"])
    try:
        time.sleep(0.1)
        assert_one_line_error(run("types", process.pid), 1, "Python")
    finally:
        process.kill()
        process.wait()


OLD_PYTHON = """
#include <unistd.h>
char PyType_Type[400];
%s
int main(void) { pause(); }
"""


@pytest.mark.parametrize("runtime", ["", "char _PyRuntime[1000];"])
def test_a_cpython_that_is_too_old(tmp_path, runtime):
    """2.7 to 3.6 have no _PyRuntime, those with one say their version."""
    (tmp_path / "python.c").write_text(OLD_PYTHON % runtime)
    program = str(tmp_path / "python")
    subprocess.run(["cc", "-rdynamic", "-o", program, program + ".c"], check=True)
    process = subprocess.Popen([program])
    try:
        time.sleep(0.1)
        assert_one_line_error(run("types", process.pid), 1, "CPython older than 3.9 in " + program,
                              "it reads releases of 3.9, 3.10, 3.11, 3.12, 3.13, 3.14")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("command", [["types"], ["check"], ["text"], ["diff", "other.hwsnap"]])
def test_no_such_file(command, tmp_path):
    assert_one_line_error(run(*command, "missing\x1b.hwsnap", cwd=tmp_path), 1)


def test_a_message_cannot_act_on_the_terminal(tmp_path):
    done = run("types", "missing\x1b[31m.hwsnap", cwd=tmp_path)
    assert "\\x1b[31m" in done.stderr and not ESCAPE.search(done.stderr)


def test_a_file_that_is_no_snapshot(tmp_path):
    (tmp_path / "x.hwsnap").write_bytes(b"something else\n" * 100)
    assert_one_line_error(run("check", tmp_path / "x.hwsnap"), 1)
    assert_one_line_error(run("types", tmp_path / "x.hwsnap"), 1)


def test_a_number_is_a_process_even_where_a_file_has_that_name(tmp_path):
    (tmp_path / NO_SUCH_PID).write_bytes(b"x")
    assert "process" in run("types", NO_SUCH_PID, cwd=tmp_path).stderr
    assert "process" not in run("types", "./" + NO_SUCH_PID, cwd=tmp_path).stderr


def test_a_process_that_exits_between_snapshots(leaking):
    command = subprocess.Popen([support.heapwhy_binary(), str(leaking.pid), "-i", "20s"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(2)
    leaking.kill()
    leaking.wait()
    out, err = command.communicate(timeout=15)
    assert command.returncode == 1 and not out
    assert "exited after 1 of 3 snapshots" in err and err.count("\n") == 1


def test_a_directory_is_no_snapshot(tmp_path):
    for command in ("types", "check"):
        assert_one_line_error(run(command, tmp_path), 1, "it is a directory")


EXECS = """
import os, sys, time
print("READY", flush=True)
time.sleep(float(sys.argv[1]))
os.execv(sys.executable, [sys.executable, *os.environ["NEXT"].split()])
"""


@pytest.mark.parametrize("next_args", ["other.py 60", "target.py 60"])
def test_a_process_that_becomes_another_program(tmp_path, next_args):
    """exec() keeps pid and start time: two heaps that have nothing to do with each other."""
    (tmp_path / "target.py").write_text(EXECS)
    (tmp_path / "other.py").write_text(TARGET)
    process = subprocess.Popen([support.SYSTEM_PYTHON, "target.py", "1.5"], cwd=tmp_path,
                               stdout=subprocess.PIPE, env={**os.environ, "NEXT": next_args})
    try:
        assert process.stdout.readline() == b"READY\n"
        done = run("diagnose", process.pid, "-n", 2, "-i", "3s")
        assert_one_line_error(done, 1, "process %d runs another program now: " % process.pid)
        assert not done.stdout
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# ---- output that cannot be written ----

@pytest.mark.parametrize("place", ["/dev/null", "/dev/full", "/dev/stdout", "."])
def test_a_snapshot_is_a_file(target, tmp_path, place):
    done = run("snapshot", target.pid, "-o", place, cwd=tmp_path)
    assert_one_line_error(done, 1, "cannot write " + place)
    assert not os.listdir(tmp_path) and not done.stdout


def test_a_snapshot_does_not_replace_the_standard_output(target, tmp_path):
    with open(tmp_path / "out", "w") as out:
        done = run("snapshot", target.pid, "-o", "/dev/stdout", stdout=out)
    assert_one_line_error(done, 1, "standard output")
    assert os.stat(tmp_path / "out").st_size == 0


@pytest.mark.parametrize("args", [["types"], ["types", "--json"], ["text"], ["text", "--ndjson"]])
def test_a_full_disk_is_reported(heap, args):
    with open("/dev/full", "w") as full:
        done = run(*args, heap, stdout=full)
    assert_one_line_error(done, 1, "No space left on device")


def test_help_on_a_full_disk():
    with open("/dev/full", "w") as full:
        assert_one_line_error(run("--help", stdout=full), 1, "No space left on device")


def test_closed_standard_output(heap):
    done = subprocess.run(["sh", "-c", '"$0" types "$1" >&-', support.heapwhy_binary(), heap],
                          stderr=subprocess.PIPE, text=True)
    assert_one_line_error(done, 1, "Bad file descriptor")


@pytest.mark.parametrize("args", [["text"], ["text", "--ndjson"]])
def test_a_reader_that_leaves_early_is_no_error(heap, args):
    command = subprocess.Popen([support.heapwhy_binary(), *args, heap], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert command.stdout.readline()
    command.stdout.close()
    err = command.stderr.read()
    command.stderr.close()
    assert command.wait(timeout=30) in (0, 128 + signal.SIGPIPE)
    assert err == b""


# ---- signals ----

@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(leaking, number, tmp_path):
    command = subprocess.Popen(
        [support.heapwhy_binary(), str(leaking.pid), "-i", "60s", "--save", str(tmp_path / "s")],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1.5)
    command.send_signal(number)
    began = time.monotonic()
    out, err = command.communicate(timeout=15)
    assert command.returncode == 128 + number
    assert out == b"" and err == b""
    assert time.monotonic() - began < 5
    assert leaking.poll() is None
    assert all(re.fullmatch(r"\d+-\d+\.hwsnap", name) for name in os.listdir(tmp_path / "s"))


# ---- what is printed ----

def test_types_in_text_and_json(heap):
    text = run("types", heap, "--all").stdout
    assert re.search(r"^ +500 .* __main__\.Session$", text, re.M)
    table = run("types", heap).stdout.partition("objects ")[2]
    assert len(table.splitlines()) == 1 + 20 + 2, "a head, the rows, what they are of"
    answer = json.loads(run("types", "--json", heap).stdout)
    by_name = {row["type"]: row for row in answer["types"]}
    assert by_name["__main__.Session"]["objects"] == 500
    assert answer["objects"] == sum(row["objects"] for row in answer["types"])
    assert answer["snapshot"]["python"].startswith("3.")
    counts = [row["objects"] for row in
              json.loads(run("types", "--json", "--sort=count", heap).stdout)["types"]]
    assert counts == sorted(counts, reverse=True)


def test_holders_and_show(heap):
    answer = json.loads(run("holders", heap, "__main__.Session", "--objects=3", "--json").stdout)
    assert answer["matches"] == 500 and len(answer["objects"]) == 3
    assert all(held["chains"][0]["path"] for held in answer["objects"])
    address = answer["objects"][0]["addr"]
    shown = json.loads(run("show", heap, address, "--json").stdout)["objects"][0]
    assert shown["type"] == "__main__.Session" and shown["addr"] == address
    assert "tracked" in shown["flags"]
    assert address in run("show", heap, address).stdout
    assert "hub" in run("holders", heap, address).stdout


def test_text_is_sorted_and_safe(heap):
    lines = subprocess.run([support.heapwhy_binary(), "text", heap],
                           stdout=subprocess.PIPE).stdout.splitlines()
    assert lines == sorted(lines)
    assert sum(line.startswith(b"__main__.Session") for line in lines) == 500
    assert not any(ESCAPE.search(line.decode()) for line in lines)
    objects = json.loads(run("types", "--json", heap).stdout)["objects"]
    assert len(lines) == objects


def test_text_of_two_equal_snapshots_is_equal(heap, target, tmp_path):
    assert run("snapshot", target.pid, "-o", tmp_path / "two.hwsnap").returncode == 0
    assert run("text", heap).stdout == run("text", tmp_path / "two.hwsnap").stdout


def test_ndjson_has_every_object_once(heap):
    rows = [json.loads(line) for line in run("text", "--ndjson", heap).stdout.splitlines()]
    addresses = [row["addr"] for row in rows]
    assert addresses == sorted(set(addresses))
    known = set(addresses)
    assert all(edge["to"] in known for row in rows for edge in row["refs"])
    assert set(rows[0]) == {"addr", "type", "size", "refcount", "tracked", "age", "refs"}
    sessions = [row for row in rows if row["type"] == "__main__.Session"]
    assert len(sessions) == 500 and all(row["tracked"] for row in sessions)


def test_diff_of_two_files(leaking, tmp_path):
    for name in ("a", "b"):
        assert run("snapshot", leaking.pid, "-o", tmp_path / name).returncode == 0
        time.sleep(0.5)
    answer = json.loads(run("diff", tmp_path / "a", tmp_path / "b", "--json").stdout)
    by_name = {row["type"]: row for row in answer["types"]}
    grown = by_name["__main__.Session"]
    assert grown["objects_delta"] == grown["objects"][1] - grown["objects"][0] > 0
    assert "__main__.Session" in run("diff", tmp_path / "a", leaking.pid).stdout


def test_diagnose_says_it_in_one_screen(leaking):
    done = run(leaking.pid, "-i", "700ms", "--exit-code")
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("LEAK: ")
    assert "hub" in done.stdout and "__main__.Session" in done.stdout
    assert not ESCAPE.search(done.stdout) and not done.stderr


def test_diagnose_in_json_and_saved(leaking, tmp_path):
    done = run("--json", leaking.pid, "-n", 3, "-i", "700ms", "--save", tmp_path / "kept")
    answer = json.loads(done.stdout)
    assert answer["verdict"] == "leak" and done.returncode == 0
    assert [set(shot) for shot in answer["snapshots"]] == [
        {"at", "pause_ms", "objects", "bytes", "native_bytes", "rss_bytes"}] * 3
    suspect = answer["suspects"][0]
    assert suspect["type"] == "__main__.Session"
    assert suspect["path"].endswith("hub") and suspect["steps"]
    files = sorted(os.listdir(tmp_path / "kept"))
    assert files == ["%d-%03d.hwsnap" % (leaking.pid, n) for n in (1, 2, 3)]
    for name in files:
        assert run("check", tmp_path / "kept" / name).returncode == 0
        assert os.stat(tmp_path / "kept" / name).st_mode & 0o777 == 0o600


def test_saved_snapshots_stay_and_are_asked_again_in_any_order(leaking, tmp_path):
    for _ in range(2):
        assert run(leaking.pid, "-n", 2, "-i", "300ms", "--save", tmp_path).returncode == 0
    files = [tmp_path / ("%d-%03d.hwsnap" % (leaking.pid, n)) for n in (1, 2, 3, 4)]
    assert sorted(tmp_path.glob("*.hwsnap")) == files
    shots = []
    for order in (files, [files[2], files[0], files[3], files[1]]):
        answer = json.loads(run("diagnose", "--json", *order).stdout)
        assert answer["verdict"] == "leak"
        shots.append(answer["snapshots"])
    assert shots[0] == shots[1] == sorted(shots[0], key=lambda shot: shot["at"])
    backwards = json.loads(run("diff", "--json", files[3], files[0]).stdout)
    assert backwards == json.loads(run("diff", "--json", files[0], files[3]).stdout)
    for command in ("diagnose", "diff"):
        assert_one_line_error(run(command, files[0], files[1], files[0]), 2, "the same snapshot")


def test_saved_numbers_have_as_many_digits_as_they_need(leaking, tmp_path):
    taken = tmp_path / ("%d-998.hwsnap" % leaking.pid)
    taken.touch()
    (tmp_path / ("%d-5000.hwsnap.old" % leaking.pid)).touch()
    assert run(leaking.pid, "-n", 2, "-i", "10ms", "--save", tmp_path).returncode == 0
    names = {path.name for path in tmp_path.glob("*.hwsnap")}
    assert names == {"%d-%s.hwsnap" % (leaking.pid, n) for n in ("998", "0999", "1000")}
    assert taken.stat().st_size == 0


def test_what_ignores_nothing_is_said(leaking):
    done = run(leaking.pid, "-n", 2, "-i", "300ms", "--ignore", "app.Typo",
               "--ignore", 'sys.modules["__main__"].hub')
    assert done.stdout.count("matched nothing") == 1, done.stdout
    assert "--ignore app.Typo matched nothing\n" in done.stdout
    assert re.search("^Ignored  .*Session", done.stdout, re.M)


def test_help_says_what_an_option_means_in_a_command():
    said = {name: " ".join(run("help", name).stdout.split()) for name in COMMANDS}
    for name in ("gc", "cycles"):
        assert said[name].count("With --watch-cycles: ") == 3
        assert "verdict is leak" not in said[name]
    assert "--watch-cycles" not in said["diagnose"]
    assert "in each direction" in said["show"] and "in each direction" not in said["types"]


def test_columns_count_in_a_pipe_too(heap):
    wide = run("holders", heap, "__main__.Session").stdout
    narrow = run("holders", heap, "__main__.Session", columns=56).stdout
    steps = [line for line in narrow.splitlines() if line.startswith("    ")]
    assert "__main__.Session  0x" in wide
    assert steps and max(map(len, steps)) <= 56


def test_snapshot_without_values_has_none(target, tmp_path):
    assert run("snapshot", target.pid, "-o", tmp_path / "x", "--no-values").returncode == 0
    assert "user-499" not in run("text", tmp_path / "x").stdout


def test_check(heap):
    done = run("check", heap)
    assert done.returncode == 0 and "is whole" in done.stdout
    answer = json.loads(run("check", heap, "--json").stdout)
    assert answer["file_bytes"] == os.path.getsize(heap)
    with open(heap, "rb") as file:
        content = file.read()
    damaged = heap + ".cut"
    with open(damaged, "wb") as file:
        file.write(content[:len(content) * 2 // 3])
    assert_one_line_error(run("check", damaged), 1)


# ---- terminals ----

def on_terminal(args, columns=80, **env):
    """Standard output and error as a terminal would get them, and the exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm", **env}
    if "NO_COLOR" not in env:
        environment.pop("NO_COLOR", None)
    environment.pop("COLUMNS", None)
    command = subprocess.Popen([support.heapwhy_binary(), *map(str, args)], stdin=theirs,
                               stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    got = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        got += piece
    os.close(ours)
    return got.decode().replace("\r\n", "\n"), command.wait()


def without_progress(text):
    return re.sub("\r\x1b\\[K[^\r\x1b\n]*", "", text)


def test_colors_are_for_terminals(heap):
    assert "\x1b[1m" in on_terminal(["types", heap])[0]
    assert "\x1b[1m" in run("types", heap, "--color=always").stdout
    assert not ESCAPE.search(run("types", heap).stdout)
    for args, env in ((["--color=never"], {}), ([], {"NO_COLOR": "1"}), ([], {"TERM": "dumb"})):
        text, status = on_terminal(["types", heap, *args], **env)
        assert status == 0 and "Session" in text or "objects" in text
        assert not ESCAPE.search(without_progress(text))


def test_progress_is_for_terminals_and_leaves_nothing(target):
    """It waits where a snapshot takes less than the interval."""
    text, status = on_terminal([target.pid, "-n", 2, "-i", "6s", "--color=never"])
    assert status == 0
    assert "waiting" in text
    last = text.rsplit("\r\x1b[K", 1)[1]
    assert re.match("(LEAK|STEADY|INCONCLUSIVE): ", last)
    assert not run(target.pid, "-n", 2, "-i", "100ms").stderr


def test_tables_fit_the_terminal(heap):
    for columns in (60, 80, 120):
        text = without_progress(on_terminal(["types", heap, "--all", "--color=never"],
                                            columns=columns)[0])
        assert max(map(len, text.splitlines())) <= columns


# ---- what is generated from the tables ----

def built(name):
    return os.path.join(os.path.dirname(support.heapwhy_binary()), "tools", name)


@pytest.mark.parametrize("page", PAGES)
def test_manual_pages_format_without_a_warning(page):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-P-cbou", built(page + ".1")],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stderr == ""
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXAMPLES"):
        assert section in done.stdout


def test_bash_completes():
    script = """
        source "$0"
        complete_line() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); compopt() { :; }; _heapwhy
            echo "${COMPREPLY[*]}"
        }
        complete_line heapwhy sn
        complete_line heapwhy types --so
        complete_line heapwhy types --sort = c
        complete_line heapwhy help ch
    """
    done = subprocess.run(["bash", "-c", script, built("heapwhy")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.stdout.splitlines() == ["snapshot", "--sort=", "count", "check"], done.stderr


@pytest.mark.parametrize("shell, script", [("zsh", "_heapwhy"), ("fish", "heapwhy.fish")])
def test_other_shells_accept_their_completion(shell, script):
    if not shutil.which(shell):
        with open(built(script)) as text:
            content = text.read()
        assert all(re.search(r"\b%s\b" % name, content) for name in COMMANDS)
        return
    done = subprocess.run([shell, "-n", built(script)], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and done.stderr == ""
