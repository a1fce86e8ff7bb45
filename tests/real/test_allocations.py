# SPDX-License-Identifier: Apache-2.0
"""heapwhy allocations and lines, on recordings written by hand, against a second, plain way to count."""
import math
import os
import random
import subprocess
import sys
from collections import defaultdict

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import recordings  # noqa: E402
import support  # noqa: E402

DOMAINS = {recordings.OBJECT: "object", recordings.MALLOC: "malloc", recordings.MMAP: "mmap"}
MEASURES = ("live", "peak", "allocated", "temporary")
MAIN = ("/srv/app/app.py", "main", 40)


def ask(command, *args):
    return support.heapwhy_json(command, "--json", *args)


class Model:
    """Counts as the contract has it, each moment for itself: slow and plain."""

    def __init__(self):
        self.live, self.latest = {}, {}
        self.counts = {measure: defaultdict(lambda: [0, 0]) for measure in ("allocated", "temporary")}
        self.bytes = self.peak_bytes = 0
        self.peak = {}

    def add(self, measure, key, size):
        self.counts[measure][key][0] += 1
        self.counts[measure][key][1] += size

    def alloc(self, address, key, size):
        if address in self.live:
            self.end(address)
        self.live[address] = key, size
        self.latest[key[1]] = address
        self.bytes += size
        self.add("allocated", key, size)
        if self.bytes > self.peak_bytes:
            self.peak_bytes, self.peak = self.bytes, dict(self.live)

    def end(self, address):
        key, size = self.live.pop(address)
        self.bytes -= size
        return key, size

    def free(self, address):
        if address in self.live:
            key, size = self.end(address)
            if self.latest[key[1]] == address:
                self.add("temporary", key, size)
                self.latest[key[1]] = None

    def table(self, measure, part):
        """{what part() makes of a key: [blocks, bytes]}"""
        found = defaultdict(lambda: [0, 0])
        if measure in self.counts:
            amounts = self.counts[measure].items()
        else:
            blocks = self.live if measure == "live" else self.peak
            amounts = [(key, (1, size)) for key, size in blocks.values()]
        for key, (count, size) in amounts:
            found[part(key)][0] += count
            found[part(key)][1] += size
        return dict(found)


def random_work(path, seed, steps=4000, chunk_bytes=3000):
    """A recording, and the model of it. A key is (stack, thread, domain)."""
    draw, model = random.Random(seed), Model()
    stacks = [(("/srv/app/hub.py", "Hub.add", line), MAIN) for line in range(1, 30)]
    stacks += [(("/srv/app/view.py", "render", line), ("/srv/app/view.py", "page", 3), MAIN) for line in range(50, 60)]
    with recordings.Recording(path, chunk_bytes=chunk_bytes, command=["python3", "app.py"]) as rec:
        for step in range(steps):
            thread = draw.randrange(3)
            rec.thread(100 + thread, "worker-%d" % thread)
            rec.time(step * 1_000_000)
            address = 0x7f0000000000 + draw.randrange(600) * 16 + draw.randrange(3) * (1 << 33)
            if draw.random() < .45 and (address in model.live or draw.random() < .2):
                rec.free(address)
                model.free(address)
                continue
            stack, size, domain = draw.choice(stacks), draw.randrange(1, 3000), draw.choice(list(DOMAINS))
            rec.alloc(address, size, rec.site(stack), domain)
            model.alloc(address, (stack, 100 + thread, domain), size)
            if draw.random() < .5:
                rec.free(address)
                model.free(address)
        rec.end()
    return model


PARTS = {
    "line": (lambda key: (key[0][0][0], key[0][0][2]), lambda row: (row["file"], row["line"])),
    "function": (lambda key: key[0][0][:2], lambda row: (row["file"], row["function"])),
    "filename": (lambda key: key[0][0][0], lambda row: row["file"]),
    "traceback": (lambda key: key[0],
                  lambda row: tuple((f["file"], f["function"], f["line"]) for f in [row] + row["callers"])),
    "thread": (lambda key: key[1], lambda row: row["thread"]),
    "allocator": (lambda key: DOMAINS[key[2]], lambda row: row["allocator"]),
}


@pytest.fixture(scope="module", params=[1, 2, 3])
def work(request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("work") / "app.hwrec")
    return path, random_work(path, request.param)


@pytest.mark.parametrize("by", PARTS)
def test_amounts_are_those_of_the_model(work, by):
    path, model = work
    part, row_key = PARTS[by]
    for option, measure in (("--leaks", "live"), ("--peak", "peak"), ("--allocated", "allocated"),
                            ("--temporary", "temporary")):
        answer = ask("allocations", path, option, "--by", by)
        assert answer["measure"] == measure and answer["by"] == by
        sizes = [row[measure]["bytes"] for row in answer["rows"]]
        assert sizes == sorted(sizes, reverse=True)
        for told in MEASURES:
            expected = model.table(told, part)
            found = {row_key(row): [row[told]["blocks"], row[told]["bytes"]] for row in answer["rows"]}
            listed = model.table(measure, part)
            assert found == {key: expected.get(key, [0, 0]) for key in listed}
            totals = answer["profile"]["totals"][told]
            assert [totals["blocks"], totals["bytes"]] == [sum(column) for column in zip(*expected.values())]


def test_moments(work):
    path, model = work
    answer = ask("allocations", path)
    moments = answer["moments"]
    assert 2 <= len(moments) <= 1000
    assert [moment["seconds"] for moment in moments] == sorted(moment["seconds"] for moment in moments)
    assert max(moment["live_bytes"] for moment in moments) == model.peak_bytes
    assert moments[-1]["live_bytes"] == model.bytes
    assert answer["profile"]["complete"] and not answer["profile"]["damage"]


def test_a_recording_that_is_being_made(tmp_path):
    path = str(tmp_path / "app.hwrec")
    rec = recordings.Recording(path)
    line = rec.site([MAIN])
    rec.alloc(0x1000, 64, line)
    rec.flush()
    assert ask("allocations", path)["profile"]["totals"]["live"] == {"blocks": 1, "bytes": 64}
    rec.alloc(0x2000, 64, line)
    rec.flush()
    with open(path, "ab") as file:  # half a chunk
        file.write(recordings.chunk(b"\x00" * 20, 20)[:-1])
    answer = ask("allocations", path)
    assert answer["profile"]["totals"]["live"] == {"blocks": 2, "bytes": 128}
    assert not answer["profile"]["complete"] and not answer["profile"]["damage"]
    assert "ends before its program did" in support.heapwhy("allocations", path)


def test_damage_is_told(tmp_path):
    path = str(tmp_path / "app.hwrec")
    with recordings.Recording(path) as rec:
        rec.alloc(0x1000, 64, rec.site([MAIN]))
        rec.event(0xff)
        rec.end()
    text = support.heapwhy("allocations", path)
    assert "The file is damaged: an event of unknown kind 63 at byte " in text
    assert ask("allocations", path)["profile"]["totals"]["live"]["bytes"] == 64


def test_samples(tmp_path):
    """Each block stands for as many as the agent chose it from: a small one by its size, a large one by its bytes."""
    path, rate = str(tmp_path / "app.hwrec"), 16384
    for size, chance in (64, 64 / rate), (4096, 1 - math.exp(-4096 / rate)):
        with recordings.Recording(path, rate=rate) as rec:
            line = rec.site([MAIN])
            for number in range(400):
                rec.alloc(0x10000 + number * size, size, line)
            rec.end()
        live = ask("allocations", path)["rows"][0]["live"]
        assert live["blocks"] == pytest.approx(400 / chance, abs=1)
        assert live["bytes"] == pytest.approx(400 * size / chance, rel=1e-4)
        assert "Numbers are estimates, from 400 samples" in support.heapwhy("allocations", path)


# ---- lines ----

SOURCE = """\
import app

class Hub:
    def add(self, name):
        row = [name] * 100
        self.rows.append(row)

    def silent(self):
        return 1

def page():
    return Hub().add("x")
"""


@pytest.fixture
def hub(tmp_path):
    """A recording of a source file that is there."""
    source, path = tmp_path / "hub.py", str(tmp_path / "app.hwrec")
    source.write_text(SOURCE)
    with recordings.Recording(path, began_unix_ns=4_000_000_000_000_000_000) as rec:
        page = (str(source), "page", 12)
        rec.alloc(0x1000, 856, rec.site([(str(source), "Hub.add", 5), page, page]))
        rec.alloc(0x2000, 88, rec.site([(str(source), "Hub.add", 6), page]))
        rec.free(0x2000)
        rec.alloc(0x3000, 48, rec.site([page]))
        rec.alloc(0x4000, 10, rec.site([("/elsewhere/hub.py", "f", 1)]))
        rec.end()
    return path, str(source)


def amounts(answer):
    return {row["line"]: (row["live"]["bytes"], row["allocated"]["bytes"], row["allocated"]["blocks"])
            for row in answer["lines"]}


def test_lines_have_their_own_and_what_they_call(hub):
    path, source = hub
    answer = ask("lines", path, source)
    assert amounts(answer) == {5: (856, 856, 1), 6: (0, 88, 1), 12: (48, 48, 1)}
    assert [row["text"].strip() for row in answer["lines"]] == [
        "row = [name] * 100", "self.rows.append(row)", 'return Hub().add("x")']
    answer = ask("lines", path, source, "--cumulative")
    assert amounts(answer)[12] == (904, 992, 3)  # page() that calls itself counts once
    assert answer["totals"]["allocated"] == {"blocks": 3, "bytes": 992}


def test_source_is_shown_by_function(hub):
    path, source = hub
    text = support.heapwhy("lines", path, source)
    assert "def add(self" in text and "row = [name] * 100" in text and "856 B" in text
    assert "silent" not in text and "import app" not in text and "class Hub" not in text
    text = support.heapwhy("lines", path, source, "--all")
    assert all(line in text for line in SOURCE.splitlines())
    text = support.heapwhy("lines", path, source, "--function", "add")
    assert "def add(self" in text and "def page" not in text
    os.utime(source, (4_100_000_000, 4_100_000_000))
    assert "changed later" in support.heapwhy("lines", path, source)


def test_without_source_lines_have_numbers(hub):
    path, source = hub
    os.unlink(source)
    text = support.heapwhy("lines", path, source)
    assert "The source is not there." in text and "in Hub.add" in text


# ---- what is refused ----

def refuse(*args, status=1):
    """stderr of a command that must fail."""
    run = subprocess.run([support.heapwhy_binary(), *args], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == status, run
    return run.stderr


def test_refusals(hub, tmp_path):
    path, _ = hub
    assert "may be" in refuse("lines", path, "hub.py", status=2)
    assert "--by=filename" in refuse("lines", path, "nothing.py")
    assert "no function" in refuse("lines", path, "elsewhere/hub.py", "--function", "g")
    assert "at a time" in refuse("allocations", path, "--peak", "--leaks", status=2)
    for command in (["diagnose"], ["types"], ["check"], ["sites"]):
        assert "see heapwhy allocations FILE" in refuse(*command, path)
    for command in "plot", "watch":
        assert "is a recording of allocations" in refuse(command, path, status=2)
    other = tmp_path / "other"
    other.write_bytes(b"hwrecord" + b"\xff" * 100)
    assert "version" in refuse("allocations", str(other))
    other.write_bytes(recordings.head()[:20])
    assert "no recording" in refuse("allocations", str(other))


def test_two_recordings(tmp_path):
    paths = [str(tmp_path / name) for name in ("old.hwrec", "new.hwrec")]
    for path, scale in zip(paths, (1, 3)):
        with recordings.Recording(path) as rec:
            rec.alloc(0x1000, 100 * scale, rec.site([("/srv/app/a.py", "f", 1), MAIN]))
            rec.alloc(0x2000, 900, rec.site([("/srv/app/b.py", "f", 1)]))
            rec.end()
    answer = ask("allocations", *paths, "--leaks")
    first = answer["rows"][0]
    assert (first["file"], first["live"]["bytes"], first["before"]["live"]["bytes"]) == ("/srv/app/a.py", 300, 100)
    assert answer["before"]["live"]["bytes"] == 1000
    assert "+200 B" in support.heapwhy("allocations", *paths)


IDLE = os.path.join(HERE, "idle.py")


def test_of_a_snapshot_only_what_is_in_use_is_known(tmp_path):
    """Of a process that runs tracemalloc, as heapwhy sites tells it."""
    snapshot = str(tmp_path / "a.hwsnap")
    with support.ready_target(support.interpreters()[0], IDLE, "sleep", env={"PYTHONTRACEMALLOC": "5"}) as target:
        support.heapwhy("snapshot", target.pid, "-o", snapshot)
    answer = ask("allocations", snapshot, "--by=traceback")
    sites = ask("sites", snapshot, "--by=traceback")
    assert answer["measure"] == "live" and not answer["profile"]["recording"]
    assert answer["profile"]["totals"] == {"live": {"blocks": sites["blocks"], "bytes": sites["bytes"]}}
    assert sorted(row["live"]["bytes"] for row in answer["rows"]) == sorted(site["bytes"] for site in sites["sites"])
    assert "heapwhy run -o FILE records it" in refuse("allocations", snapshot, "--peak")
    assert "one moment" in refuse("allocations", snapshot, "--over-time")


# ---- what the agent records ----

WORK = os.path.join(HERE, "allocations_work.py")
BLOCK = 5000


def record(path, *args, status=0):
    """heapwhy run of WORK. Who is killed has written its last whole chunk."""
    command = [os.path.abspath(support.heapwhy_binary()), "run", "--every", "-o", path, support.SYSTEM_PYTHON, WORK, *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=support.clean_environment())
    assert done.returncode == status, done


def line_of(text):
    with open(WORK, encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


def amounts_at(answer, text):
    return next(row for row in answer["rows"] if row["file"] == WORK and row["line"] == line_of(text))


def test_a_program_that_was_recorded(tmp_path):
    """Each bytearray is an object and a block of 5,001 bytes; the list's items are some more."""
    path = str(tmp_path / "work.hwrec")
    record(path)
    answer = ask("allocations", path)
    assert answer["profile"]["complete"] and not answer["profile"]["damage"] and not answer["profile"]["blocks_missed"]
    assert WORK in answer["profile"]["command"]
    kept, churn = amounts_at(answer, "# kept"), amounts_at(ask("allocations", path, "--temporary"), "# churn")
    assert kept["peak"]["bytes"] == pytest.approx(2000 * (BLOCK + 57), rel=.02)
    assert kept["peak"]["blocks"] == pytest.approx(4000, rel=.02)
    assert kept["allocated"]["bytes"] == pytest.approx(2500 * (BLOCK + 57), rel=.02)
    assert kept["live"]["bytes"] == pytest.approx(500 * (BLOCK + 57), rel=.02)  # before the interpreter takes all apart
    assert churn["allocated"]["bytes"] == pytest.approx(20000 * (BLOCK + 57), rel=.02)
    assert churn["temporary"]["bytes"] == pytest.approx(20000 * (BLOCK + 1), rel=.02)
    threads = ask("allocations", path, "--allocated", "--by=thread")["rows"]
    assert len(threads) == 2 and threads[0]["allocated"]["bytes"] > 22500 * BLOCK


def test_a_program_that_was_killed(tmp_path):
    path = str(tmp_path / "work.hwrec")
    record(path, "die", status=-9)
    answer = ask("allocations", path, "--allocated")
    assert not answer["profile"]["complete"] and not answer["profile"]["damage"]
    assert amounts_at(answer, "# kept")["allocated"]["bytes"] > 2000 * BLOCK


def test_lines_of_a_program_that_was_recorded(tmp_path):
    path = str(tmp_path / "work.hwrec")
    record(path)
    answer = ask("lines", path, "allocations_work.py", "--cumulative")
    rows = {row["text"].strip(): row for row in answer["lines"]}
    assert rows["churn(20000)"]["allocated"]["bytes"] == pytest.approx(20000 * (BLOCK + 57), rel=.02)
    assert rows["return keep(500)"]["allocated"]["bytes"] == pytest.approx(500 * (BLOCK + 57), rel=.02)
    text = support.heapwhy("lines", path, WORK)
    assert "bytearray(BLOCK)  # churn" in text and "The source is not there." not in text
