# SPDX-License-Identifier: Apache-2.0
"""heapwhy export: what other tools read is what heapwhy says, whatever the program's names are."""
import glob
import json
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
import pprof_file  # noqa: E402
import support  # noqa: E402

WORK = os.path.join(HERE, "flame_work.py")
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
with open(WORK, encoding="utf-8") as source:
    LINE = next(number for number, line in enumerate(source, 1) if "bytes(1000)" in line)
SOURCES = {"tracemalloc": {"PYTHONTRACEMALLOC": "10"}, "agent": {"LD_PRELOAD": AGENT, "HEAPWHY_AGENT": "1024"}}


@pytest.fixture(scope="module", params=sorted(SOURCES))
def snapshot(request, tmp_path_factory):
    """A file, so that all views are of one moment; and whether functions are known."""
    path = str(tmp_path_factory.mktemp(request.param) / "work.hwsnap")
    with support.ready_target(support.interpreters()[0], WORK, env=SOURCES[request.param]) as process:
        support.heapwhy("snapshot", process.pid, "-o", path)
    return path, request.param == "agent"


@pytest.fixture(scope="module")
def sites(snapshot):
    return support.heapwhy_json("sites", "--json", "--by=traceback", snapshot[0])


def exported(snapshot, *args):
    done = subprocess.run([support.heapwhy_binary(), "export", snapshot[0]] + list(args), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=support.HEAPWHY_TIMEOUT_S)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def collapsed(text):
    """(frames, bytes) of each line."""
    lines = [line.rsplit(" ", 1) for line in text.splitlines()]
    return [(stack.split(";"), int(size)) for stack, size in lines]


@pytest.mark.parametrize("by", ["line", "function"])
def test_collapsed_stacks_add_up(snapshot, sites, by):
    stacks = collapsed(exported(snapshot, "--by", by).decode("utf-8"))
    assert sum(size for _, size in stacks) == sites["bytes"]
    assert len({tuple(frames) for frames, _ in stacks}) == len(stacks)
    name = "/flame_work.py" + (":allocate" if snapshot[1] else "") + (":%d" % LINE if by == "line" else "")
    callers = [frames[at - 1] for frames, _ in stacks for at, frame in enumerate(frames) if frame.endswith(name) and at]
    assert any("/flame_work.py" + (":twice" if snapshot[1] else "") in frame for frame in callers)
    assert any("a\\x3bb.py" in frame for frames, _ in stacks for frame in frames)


def test_json_has_the_stacks_of_sites(snapshot, sites):
    told = json.loads(exported(snapshot, "--json"))
    profile = told["profile"]
    assert not profile["recording"] and profile["rate"] == sites["rate"] and profile["samples"] > 0
    assert profile["totals"] == {"live": {"blocks": sites["blocks"], "bytes": sites["bytes"]}}

    def key(row):
        return [(frame["file"], frame["line"], frame["function"]) for frame in [row] + row["callers"]]

    here = sorted((key(row), row["live"]["bytes"]) for row in told["stacks"])
    sums = {}
    for frames, size in here:
        sums[tuple(frames)] = sums.get(tuple(frames), 0) + size
    assert sums == {tuple(key(row)): row["bytes"] for row in sites["sites"]}
    assert {row["domain_name"] for row in told["stacks"]} <= {"python", "numpy", "raw", "mem", "object", "malloc", "mmap"}


def check_speedscope(told):
    """The rules of the format's schema for sampled profiles."""
    assert told["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert set(told) <= {"$schema", "exporter", "name", "activeProfileIndex", "shared", "profiles"}
    assert set(told["shared"]) == {"frames"} and 0 <= told["activeProfileIndex"] < len(told["profiles"])
    for frame in told["shared"]["frames"]:
        assert set(frame) <= {"name", "file", "line", "col"} and isinstance(frame["name"], str) and frame["name"]
        assert isinstance(frame.get("file", ""), str) and isinstance(frame.get("line", 0), int)
    for profile in told["profiles"]:
        assert set(profile) == {"type", "name", "unit", "startValue", "endValue", "samples", "weights"}
        assert profile["type"] == "sampled" and profile["unit"] == "bytes"
        assert len(profile["samples"]) == len(profile["weights"])
        assert all(0 <= number < len(told["shared"]["frames"]) for sample in profile["samples"] for number in sample)
        assert profile["endValue"] - profile["startValue"] == sum(profile["weights"])


def test_speedscope_keeps_the_rules_of_its_format(snapshot, sites):
    told = json.loads(exported(snapshot, "--format", "speedscope"))
    check_speedscope(told)
    assert [profile["name"] for profile in told["profiles"]] == ["live"]
    assert sum(told["profiles"][0]["weights"]) == sites["bytes"]
    frames = told["shared"]["frames"]
    files = {frames[number].get("file") for sample in told["profiles"][0]["samples"] for number in sample}
    assert any(name and name.endswith("flame_work.py") for name in files)


def test_pprof_has_what_was_told(snapshot, sites):
    profile = pprof_file.Profile(exported(snapshot, "--format", "pprof"))
    assert profile.types == [("inuse_objects", "count"), ("inuse_space", "bytes")]
    assert profile.sums() == {"inuse_objects": sites["blocks"], "inuse_space": sites["bytes"]}
    assert profile.default == "inuse_space" and profile.period == (1024 if snapshot[1] else 1)
    assert profile.program.endswith("flame_work.py") and profile.time_ns > 1e18
    assert all("domain" in labels for _, _, labels in profile.samples)
    at = [(frames, values) for frames, values, _ in profile.samples if frames[0][1].endswith("flame_work.py") and frames[0][2] == LINE]
    assert at and at[0][0][0][0].endswith("allocate.<locals>.<listcomp>" if snapshot[1] else "flame_work.py")


def pprof_tool():
    """Debian's go has the tool beside it; others build it first, which needs their sources."""
    for go in sorted(glob.glob("/usr/lib/go-*/bin/go")) + [shutil.which("go")]:
        if go:
            return [go, "tool", "pprof"]
    raise FileNotFoundError("go: packages.txt says which package has it")


def test_pprof_itself_reads_it(snapshot, sites, tmp_path):
    path = tmp_path / "work.pb.gz"
    path.write_bytes(exported(snapshot, "--format", "pprof"))
    place = {**os.environ, "PPROF_TMPDIR": str(tmp_path), "HOME": str(tmp_path)}

    def run(*args):
        done = subprocess.run(pprof_tool() + list(args) + [str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=place, timeout=support.HEAPWHY_TIMEOUT_S)
        assert done.returncode == 0, done.stderr
        return done.stdout

    raw = run("-raw")
    assert "inuse_objects/count inuse_space/bytes[dflt]" in raw and "Period: %d" % (1024 if snapshot[1] else 1) in raw
    rows = [line.split(":")[0].split() for line in raw.split("[dflt]\n")[1].split("Locations")[0].splitlines() if ": " in line]
    values = [[int(word) for word in row] for row in rows if len(row) == 2 and row[1].isdigit()]
    assert [sum(column) for column in zip(*values)] == [sites["blocks"], sites["bytes"]]
    top = run("-top", "-lines", "-sample_index=inuse_objects", "-nodecount=1000", "-nodefraction=0")
    assert "of %d total" % sites["blocks"] in top and "flame_work.py:%d" % LINE in top


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("recorded") / "work.hwrec")
    subprocess.run([support.heapwhy_binary(), "run", "--every", "-o", path, support.SYSTEM_PYTHON, WORK, "end"], check=True,
                   stdout=subprocess.DEVNULL, env=support.clean_environment())
    return path, True


def test_all_measures_of_a_recording_add_up(recording):
    totals = support.heapwhy_json("allocations", "--json", recording[0])["profile"]["totals"]
    assert 0 < totals["live"]["bytes"] < totals["peak"]["bytes"] < totals["allocated"]["bytes"]
    profile = pprof_file.Profile(exported(recording, "--format", "pprof"))
    names = {"live": "inuse", "peak": "peak", "allocated": "alloc", "temporary": "temporary"}
    assert profile.sums() == {"%s_%s" % (name, unit): totals[measure][key] for measure, name in names.items()
                              for unit, key in (("objects", "blocks"), ("space", "bytes"))}
    assert profile.default == "peak_space" and profile.duration_ns > 0
    assert {"object", "mem"} <= {labels["domain"] for _, _, labels in profile.samples}
    assert len({labels["thread"] for _, _, labels in profile.samples}) == 2
    speedscope = json.loads(exported(recording, "--format", "speedscope"))
    check_speedscope(speedscope)
    assert {told["name"]: told["endValue"] for told in speedscope["profiles"]} == {name: totals[name]["bytes"] for name in names}
    for option, measure in ((), "peak"), (("--leaks",), "live"), (("--allocated",), "allocated"), (("--temporary",), "temporary"):
        stacks = collapsed(exported(recording, *option).decode("utf-8"))
        assert sum(size for _, size in stacks) == totals[measure]["bytes"]


def test_a_file_is_there_when_it_is_whole(snapshot, tmp_path):
    path = tmp_path / "work.txt"
    path.write_text("before")
    told = subprocess.run([support.heapwhy_binary(), "export", str(tmp_path / "none.hwsnap"), "-o", str(path)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert told.returncode == 1 and path.read_text() == "before" and os.listdir(tmp_path) == ["work.txt"]
    support.heapwhy("export", snapshot[0], "-o", path)
    assert path.read_bytes() == exported(snapshot) and os.listdir(tmp_path) == ["work.txt"]
    support.heapwhy("export", snapshot[0], "-o", "/dev/null")
    assert not os.path.isfile("/dev/null")


def test_what_is_not_known_is_said(snapshot):
    done = subprocess.run([support.heapwhy_binary(), "export", "--peak", snapshot[0]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "only what is in use is known" in done.stderr
