# SPDX-License-Identifier: Apache-2.0
"""heapwhy watch and plot on living processes."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

SCRIPT = os.path.join(HERE, "watched.py")
SERIES = os.path.join(support.TESTS, "data", "series")
PYTHON = support.PlainInterpreter(support.SYSTEM_PYTHON)
ALARM = 3


def target(*args):
    return support.ready_target(PYTHON, SCRIPT, *args)


@contextlib.contextmanager
def watching(*args, **more):
    process = subprocess.Popen([support.heapwhy_binary(), "watch"] + [str(arg) for arg in args],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, **more)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def watch(*args, status=0, **more):
    """Runs to its end; its events, and what it said besides."""
    with watching("--json", *args, **more) as process:
        out, said = process.communicate(timeout=support.HEAPWHY_TIMEOUT_S)
        assert process.returncode == status, said
    return [json.loads(line) for line in out.splitlines()], said


def of_kind(events, kind):
    return [event for event in events if event["event"] == kind]


def refused(*args):
    done = subprocess.run([support.heapwhy_binary()] + [str(arg) for arg in args],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode and not done.stdout
    return done.returncode, done.stderr


def status_kb(pid, key):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        return int(re.search(r"^%s:\s+(\d+)" % key, file.read(), re.M).group(1)) * 1024


def test_samples_are_what_the_kernel_says():
    with target("big", 50) as process:
        events, said = watch("--for", "2500ms", "--every", "500ms", process.pid)
        begun = of_kind(events, "process")
        samples = of_kind(events, "sample")
        assert said == ""
        assert [event["name"] for event in begun] == ["watched.py"] and begun[0]["parent"] is None
        assert len(samples) >= 4 and not of_kind(events, "alarm")
        last = samples[-1]
        assert last["rss_bytes"] == status_kb(process.pid, "VmRSS")
        assert last["peak_rss_bytes"] == status_kb(process.pid, "VmHWM")
        assert last["memory_bytes"] == status_kb(process.pid, "RssAnon")
        assert last["threads"] == 1
        assert last["fds"] == len(os.listdir("/proc/%d/fd" % process.pid))
        assert 50e6 < samples[0]["pss_bytes"] <= samples[0]["rss_bytes"]


def test_a_leak_starts_a_command_and_a_diagnosis(tmp_path):
    command = 'echo "$HEAPWHY_PID $HEAPWHY_REASON $HEAPWHY_NAME" > %s; echo "$HEAPWHY_ANSWER"' % (
        tmp_path / "said")
    with target("leak", 22) as process:
        events, said = watch(process.pid, "--until-alarm", "--exec", command, "--diagnose", "--save",
                             tmp_path / "kept", "-n", 2, "-i", "1s", status=ALARM)
        assert (tmp_path / "said").read_text() == "%d growth watched.py\n" % process.pid
    alarm, = of_kind(events, "alarm")
    assert alarm["reason"] == "growth" and alarm["threshold_bytes"] is None
    assert 0.5e6 < alarm["bytes_per_second"] < 2e6
    assert alarm["bytes_per_second_low"] <= alarm["bytes_per_second"] <= alarm["bytes_per_second_high"]
    limit = alarm["limit"]
    assert limit["name"] == "RLIMIT_AS" and limit["limit_bytes"] == 2_000_000_000
    assert abs(limit["seconds"] - limit["left_bytes"] / alarm["bytes_per_second"]) < 1
    assert said.strip() == alarm["answer"]
    diagnosis, = of_kind(events, "diagnosis")
    assert diagnosis["verdict"] in ("leak", "inconclusive") and diagnosis["answer"]
    check_evidence(tmp_path / "kept", diagnosis, alarm)


def check_evidence(root, diagnosis, alarm):
    directory = diagnosis["directory"]
    assert os.path.dirname(directory) == str(root)
    names = sorted(os.listdir(directory))
    assert [name for name in names if not name.endswith(".hwsnap")] == [
        "alarm.json", "diagnosis.json", "diagnosis.txt"]
    assert len(names) == 5
    for name in names:
        assert os.stat(os.path.join(directory, name)).st_mode & 0o777 == 0o600
    assert os.stat(directory).st_mode & 0o777 == 0o700
    with open(os.path.join(directory, "alarm.json"), encoding="utf-8") as file:
        assert json.load(file) == alarm
    with open(os.path.join(directory, "diagnosis.json"), encoding="utf-8") as file:
        assert json.load(file)["answer"] == diagnosis["answer"]


def old_evidence(root, number, size=100):
    directory = root / ("20200101T%06d-77" % number)
    directory.mkdir(parents=True)
    (directory / "77-001.hwsnap").write_bytes(b"x" * size)
    return directory.name


def kept_after_an_alarm(root, *args):
    """What an alarm leaves of what was there."""
    with target("big", 20) as process:
        events, _ = watch(process.pid, "--rss", "10M", "--until-alarm", "--diagnose", "--save", root,
                          "-n", 1, *args, status=ALARM)
    new = os.path.basename(of_kind(events, "diagnosis")[0]["directory"])
    left = sorted(os.listdir(root))
    assert new in left
    left.remove(new)
    return left


def test_evidence_is_bounded(tmp_path):
    old = [old_evidence(tmp_path / "a", number) for number in range(5)]
    (tmp_path / "a" / "mine").mkdir()
    (tmp_path / "a" / "20200101T000000-x").mkdir()
    assert kept_after_an_alarm(tmp_path / "a", "--keep", 3) == [
        "20200101T000000-x", old[3], old[4], "mine"]
    old = [old_evidence(tmp_path / "b", number, 3_000_000) for number in range(3)]
    assert kept_after_an_alarm(tmp_path / "b", "--keep-size", "5M") == old[2:]


def test_a_threshold_is_told_once():
    with target("big", 60) as process:
        events, _ = watch(process.pid, "--rss", "50M", "--for", "3s", "--every", "500ms")
        alarm, = of_kind(events, "alarm")
        assert alarm["reason"] == "rss" and alarm["threshold_bytes"] == 50_000_000
        assert alarm["bytes_per_second"] is None
        assert not alarm["limit"] or alarm["limit"]["left_bytes"] > 0  # that one is passed
        events, _ = watch(process.pid, "--rss", "500M", "--for", "1s")
        assert not of_kind(events, "alarm")


def test_children_are_followed_to_their_end():
    with target("parent", 3) as process:
        events, _ = watch(process.pid, "--children", "--every", "500ms")
    parent, child = of_kind(events, "process")
    assert parent["pid"] == process.pid and child["parent"] == process.pid
    assert [event["pid"] for event in of_kind(events, "end")] == [child["pid"], process.pid]


def test_names_come_and_go():
    """watch is there first."""
    with watching("--json", "^watched[.]py$", "--every", "500ms") as watcher:
        pids = []
        for _ in range(2):
            with target("big", 1) as process:
                pids.append(process.pid)
                assert next_event(watcher, "process")["pid"] == process.pid
            assert next_event(watcher, "end")["pid"] == process.pid
        watcher.send_signal(signal.SIGTERM)
        assert watcher.wait(timeout=10) == 0


def next_event(watcher, kind):
    for line in watcher.stdout:
        event = json.loads(line)
        if event["event"] == kind:
            return event
    raise AssertionError("no event %s" % kind)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_it_cleanly(number, tmp_path):
    """Also while a command runs and a diagnosis waits for its next snapshot."""
    if signal.getsignal(number) == signal.SIG_IGN:
        pytest.skip("whoever started the tests has it ignored (nohup), and so does what they start")
    with target("big", 20) as process:
        with watching(process.pid, "--rss", "10M", "--diagnose", "--save", tmp_path, "-i", "1h",
                      "--exec", "sleep 1", "--warm-up", "0s") as watcher:
            assert "watched.py" in watcher.stdout.readline()
            assert "ALARM" in watcher.stdout.readline()
            time.sleep(1)
            watcher.send_signal(number)
            out, said = watcher.communicate(timeout=20)
            assert watcher.returncode == 0 and said == "", said
        assert process.poll() is None
        assert status_of(process.pid, "TracerPid") == "0"


def status_of(pid, key):
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        return re.search(r"^%s:\s+(.*)$" % key, file.read(), re.M).group(1)


def test_a_reader_that_leaves_ends_it():
    with target("big", 1) as process:
        with watching("--json", "--every", "100ms", process.pid) as watcher:
            watcher.stdout.readline()
            watcher.stdout.close()
            assert watcher.wait(timeout=10) == 128 + signal.SIGPIPE
            watcher.stdout = open(os.devnull, encoding="utf-8")


def test_refusals(tmp_path):
    status, said = refused("watch", 4194303)
    assert status == 1 and "there is no process 4194303" in said
    status, said = refused("watch", 2)
    assert status == 1 and "has no memory of its own" in said
    for args, what in ((("watch", "("), "neither a process id nor a regular expression"),
                       (("watch", "1", "--save", tmp_path), "--save goes with --diagnose"),
                       (("watch", "1", "--rss", "5"), "--rss wants a size"),
                       (("watch", "1", "--growth", "5M/x"), "--growth wants bytes in a time"),
                       (("watch", tmp_path / "x.jsonl", "1"), "goes with nothing else")):
        status, said = refused(*args)
        assert status == 2 and what in said, said
    status, said = refused("watch", os.getpid(), "--diagnose", "--rules", tmp_path / "none")
    assert status and "none" in said
    for command in ("watch", "plot"):
        status, said = refused(command, tmp_path / "none.jsonl")
        assert status == 1 and "cannot open" in said
        (tmp_path / "empty.jsonl").write_text("")
        status, said = refused(command, tmp_path / "empty.jsonl")
        assert status == 1 and "holds no samples" in said


def test_recordings_are_judged():
    leak = os.path.join(SERIES, "leaks_1m", "bytes_1m.jsonl")
    events, _ = watch(leak, "--until-alarm", status=ALARM)
    assert of_kind(events, "alarm")[0]["name"] == "bytes_1m.py"
    events, _ = watch(leak, "--growth", "5M/s")
    assert not of_kind(events, "alarm")
    events, _ = watch(os.path.join(SERIES, "healthy", "gc_sawtooth.jsonl"), "--rss", "40M")
    assert {event["reason"] for event in of_kind(events, "alarm")} == {"rss"}


def plot(*args, **env):
    return subprocess.run([support.heapwhy_binary(), "plot"] + [str(arg) for arg in args],
                          env={**support.clean_environment(), **env}, capture_output=True, text=True,
                          check=True, timeout=30).stdout


def test_plots(tmp_path):
    path = os.path.join(SERIES, "healthy", "gc_sawtooth.jsonl")
    for env, is_ascii in (({"LC_ALL": "C.UTF-8", "TERM": "xterm"}, False), ({"LC_ALL": "C"}, True),
                          ({"LC_ALL": "C.UTF-8", "TERM": "dumb"}, True)):
        text = plot(path, **env)
        assert text.isascii() == is_ascii
        assert "gc_sawtooth.py" in text and "MB" in text
        assert max(map(len, text.splitlines())) <= 80
    assert plot(path, "-o", tmp_path / "a.svg") == ""
    root = xml.etree.ElementTree.parse(tmp_path / "a.svg").getroot()
    assert root.tag.endswith("svg") and os.listdir(tmp_path) == ["a.svg"]
    assert "gc_sawtooth.py" in "".join(root.itertext())


def test_a_living_process_is_plotted():
    with target("parent", 2) as process:
        text = plot(process.pid, "--children", "--every", "500ms", LC_ALL="C")
    assert text.count("peak") == 3
    assert "together" in text
