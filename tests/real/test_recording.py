# SPDX-License-Identifier: Apache-2.0
"""Programs that heapwhy watch runs and records, and what plot makes of the recordings."""
import json
import os
import subprocess
import xml.etree.ElementTree

import pytest
import support

PROGRAM = """
import subprocess, sys, time, builtins
profile = getattr(builtins, "profile", lambda function: function)

@profile
def load():
    block = bytearray(b"x") * (60 * 10 ** 6)
    time.sleep(.4)

@profile
def work():
    load()
    time.sleep(.2)

child = subprocess.Popen([sys.executable, "-c", "import time; b = b'x' * 50_000_000; time.sleep(.6)"])
work()
child.wait()
sys.exit(5)
"""


def heapwhy(place, *args, status=0):
    done = subprocess.run([support.heapwhy_binary()] + [str(arg) for arg in args], cwd=place, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env={**support.clean_environment(), "PYTHONPATH": support.package_site(), "LC_ALL": "C"})
    assert done.returncode == status, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    place = tmp_path_factory.mktemp("recording")
    (place / "program.py").write_text(PROGRAM)
    out, said = heapwhy(place, "watch", "--children", "--exit-code", "--every", "20ms", "-o", "app.jsonl", "--",
                        support.SYSTEM_PYTHON, "-m", "heapwhy.lines", "--timestamp", "program.py", status=5)
    assert out == "" and "see heapwhy plot app.jsonl" in said
    return place


def test_a_recording_has_samples_children_and_functions(recorded):
    lines = (recorded / "app.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    assert sum(event["event"] == "sample" for event in events) > 20
    assert {line.split()[1] for line in lines if line.startswith("FUNC ")} == {"__main__.load", "__main__.work"}


def test_peaks_of_processes_and_functions(recorded):
    out, _ = heapwhy(recorded, "plot", "app.jsonl", "--peak")
    peaks = {line[13:].split(",")[0]: float(line.split()[0]) for line in out.splitlines()}
    (child,) = [name for name in peaks if name.startswith("-c (")]
    assert peaks[child] > 50 and peaks["during __main__.load"] > 65
    assert max(peaks.values()) == peaks["together"] > peaks[child] + 50


def test_functions_are_drawn_unless_not_wanted(recorded):
    out, _ = heapwhy(recorded, "plot", "app.jsonl", "--ascii")
    assert "1 __main__.work: 1 call, " in out and "2 __main__.load: 1 call, " in out and "===" in out
    assert max(map(len, out.splitlines())) <= 80
    out, _ = heapwhy(recorded, "plot", "app.jsonl", "--ascii", "--no-functions")
    assert "__main__" not in out


def test_pictures_with_title_stack_and_window(recorded):
    heapwhy(recorded, "plot", "app.jsonl", "--stacked", "--title", "a < b", "-o", "a.svg")
    root = xml.etree.ElementTree.parse(recorded / "a.svg").getroot()
    text = "".join(root.itertext())
    assert "a < b" in text and "__main__.load: 1 call" in text
    assert len([path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("fill-opacity") == ".55"]) == 2
    whole, _ = heapwhy(recorded, "plot", "app.jsonl", "--peak")
    part, _ = heapwhy(recorded, "plot", "app.jsonl", "--peak", "--window", "0,30ms")
    assert part != whole and float(part.split()[0]) < 60
    _, said = heapwhy(recorded, "plot", "app.jsonl", "--window", "1h,2h", status=1)
    assert "nothing was recorded" in said
    for wrong in ("5", "2,1", "a,b", "-1,2"):
        heapwhy(recorded, "plot", "app.jsonl", "--window=" + wrong, status=2)


def test_dashed_lines_of_alarms_are_in_the_legend(tmp_path):
    recording = os.path.join(support.TESTS, "data", "series", "leaks_1m", "bytes_1m.jsonl")
    events = [json.loads(line) for line in open(recording) if '"sample"' in line]
    marked = tmp_path / "alarm.jsonl"
    marked.write_text(open(recording).read() + json.dumps({**events[-1], "event": "alarm", "reason": "growth"}) + "\n")
    heapwhy(tmp_path, "plot", marked, "-o", "a.svg")
    root = xml.etree.ElementTree.parse(tmp_path / "a.svg").getroot()
    dashed = [path.get("d") for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-dasharray")]
    assert len(dashed) == 2 and "growth alarm at" in "".join(root.itertext())


def test_a_recording_of_mprof_shows_its_functions(tmp_path):
    (tmp_path / "mprofile_20251120110000.dat").write_text(
        "CMDLINE python app.py\n" + "".join("MEM %d.0 %d.0\n" % (10 + i, 1700000000 + i) for i in range(20)) +
        "FUNC app.f 12.0 1700000002.0 17.0 1700000007.0 0\nFUNC app.f 9 1 2\nFUNC broken 1 5 2 3 0\n")
    out, _ = heapwhy(tmp_path, "plot", "mprofile_20251120110000.dat", "--peak")
    assert "during app.f" in out and "broken" not in out
    assert [line.split()[0] for line in out.splitlines()] == ["30.4", "17.8"]


def test_programs_that_are_short_fail_or_are_not_there(tmp_path):
    _, said = heapwhy(tmp_path, "watch", "--", "true")
    (name,) = [name for name in os.listdir(tmp_path) if name.endswith(".jsonl")]
    assert name.startswith("heapwhy-") and name in said
    heapwhy(tmp_path, "watch", "--exit-code", "-o", name, "--", "/bin/sh", "-c", "kill -9 $$", status=137)
    _, said = heapwhy(tmp_path, "watch", "-o", "none.jsonl", "--", "/nonexistent/program", status=1)
    assert "cannot start /nonexistent/program" in said and not (tmp_path / "none.jsonl").exists()
    _, said = heapwhy(tmp_path, "watch", "1", "--", "true", status=2)
    assert "not both" in said
    out, _ = heapwhy(tmp_path, "watch", "--", "/bin/echo", "-n", "--json")
    assert out == "--json"
