# SPDX-License-Identifier: Apache-2.0
"""What an extension forgets to give back is found and named, and nothing else is."""
import json
import os
import shutil
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

EVERY = pytest.mark.parametrize("interpreter", support.interpreters(), ids=lambda i: i.name)
WAYS = ["plain", "kept", "frozen", "threads", "asyncio"]
HEALTHY = os.path.join(HERE, "audit_healthy.py")
ASK_FOR_HEADERS = ("import sysconfig, os; print(os.pathsep.join({sysconfig.get_path('include'),"
                   "os.path.dirname(sysconfig.get_config_h_filename())}))")


def headers(interpreter):
    """Folders of the interpreter's headers. One in a chroot has none: those of another build of the
    same version tell the same of all that is used here."""
    for known in support.interpreters():
        if known.version == interpreter.version and known.root is None:
            run = subprocess.run([known.executable, "-c", ASK_FOR_HEADERS], check=True,
                                 stdout=subprocess.PIPE, text=True)
            folders = run.stdout.strip().split(os.pathsep)
            if any(os.path.exists(os.path.join(folder, "Python.h")) for folder in folders):
                return folders
    raise AssertionError("no headers for Python %s" % interpreter.version)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """program(interpreter): a copy of audit_plant.py that can import the extension."""
    made = {}

    def make(interpreter):
        if interpreter.name not in made:
            folder = tmp_path_factory.mktemp(interpreter.name)
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", os.path.join(HERE, "audit_leak.c"),
                            "-o", str(folder / "audit_leak.so")] +
                           ["-I" + path for path in headers(interpreter)], check=True)
            shutil.copy(os.path.join(HERE, "audit_plant.py"), folder)
            made[interpreter.name] = str(folder / "audit_plant.py")
        return made[interpreter.name]

    return make


def audit(*args):
    return support.heapwhy_json("audit", "--json", *args)


def found(answer):
    return {row["type"]: row["objects"] for row in answer["types"]}


@EVERY
@pytest.mark.parametrize("way", WAYS)
def test_single_references(interpreter, program, way):
    lines = []
    with support.ready_target(interpreter, program(interpreter), 100, 41, way,
                              sink=lines.append) as process:
        answer = audit(process.pid)
    planted = json.loads(lines[0])
    assert sum(planted.values()) == 100 and answer["overcounted"] == 0
    if way == "threads":
        # A thread that waits where it leaked may have left the address on its stack.
        hidden = {row["type"]: row["objects"] for row in answer["busy"]}
        assert all(number <= planted[kind] <= number + hidden.get(kind, 0)
                   for kind, number in found(answer).items())
        assert answer["objects"] >= 98
    else:
        assert found(answer) == planted
        assert answer["objects"] == answer["references"] == 100
    # Words that were left in C memory hide nothing: what only they explain is told.
    assert sum(row["objects"] for row in answer["words"]) < 50
    assert answer["unscanned_bytes"] == 0
    assert "audit_leak.so" in answer["extensions"]
    texts = next(row["samples"] for row in answer["types"] if row["type"] == "str")
    assert texts and all("planted text" in text for text in texts)
    if way in ("plain", "frozen", "asyncio"):
        assert answer["lost"] >= sum(planted[kind] for kind in ("str", "bytes", "float", "int"))


@EVERY
@pytest.mark.parametrize("way", WAYS)
def test_none_where_none_is_planted(interpreter, program, way):
    with support.ready_target(interpreter, program(interpreter), 0, 1, way) as process:
        answer = audit(process.pid)
    assert answer["types"] == [] and answer["objects"] == 0
    assert answer["overcounted"] == 0


@EVERY
@pytest.mark.parametrize("way", ["standard", "frozen"])
def test_healthy(interpreter, way):
    with support.ready_target(interpreter, HEALTHY, way) as process:
        answer = audit(process.pid)
    # Some builds of CPython 3.11.7 have one reference to decimal.ExtendedContext too many.
    assert found(answer) in ({}, {"decimal.Context": 1})
    assert answer["overcounted"] == 0
    assert answer["exact"] > 0.99 * answer["examined"]


@EVERY
@pytest.mark.parametrize("way", ["busy", "libraries"])
def test_healthy_ones_do_not_grow(interpreter, way):
    with support.ready_target(interpreter, HEALTHY, way) as process:
        answer = audit(process.pid, "-n", 3, "-i", "300ms")
    assert answer["looks"] == 3
    assert not answer["leaks"] and not any(row["grows"] for row in answer["types"])
    # Constants of extension modules that their compiler optimised away are no instances of a class.
    assert not {"str", "float", "int", "bytes"} & set(found(answer))


@pytest.mark.parametrize("allocator", ["malloc_debug", "pymalloc_debug"])
def test_debug_hooks(program, allocator):
    interpreter = support.interpreters()[0]
    lines = []
    with support.ready_target(interpreter, program(interpreter), 100, 43, "plain",
                              sink=lines.append, env={"PYTHONMALLOC": allocator}) as process:
        answer = audit(process.pid)
    assert found(answer) == json.loads(lines[0])


@EVERY
def test_what_tracemalloc_keeps_addresses_of_is_not_held_by_it(interpreter, program):
    lines = []
    with support.ready_target(interpreter, program(interpreter), 100, 43, "plain",
                              sink=lines.append, env={"PYTHONTRACEMALLOC": "3"}) as process:
        answer = audit(process.pid)
    planted = json.loads(lines[0])
    # Blocks that it freed are handed out to others, with an address in them here and there.
    stale = {row["type"]: row["objects"] for row in answer["words"]}
    for kind, number in planted.items():
        assert number - stale.get(kind, 0) <= found(answer).get(kind, 0) <= number
    assert answer["objects"] >= 95 and answer["lost"] > 0


def test_no_content_without_values(program, tmp_path):
    interpreter = support.interpreters()[0]
    file = str(tmp_path / "a.hwsnap")
    with support.ready_target(interpreter, program(interpreter), 30, 7, "plain") as process:
        support.heapwhy("snapshot", process.pid, "-o", file, "--no-values")
        answer = audit(process.pid, "--no-values")
    from_file = audit(file)
    assert found(from_file) == found(answer)
    for told in (answer, from_file):
        assert "planted text" not in json.dumps(told)
        assert told["objects"] == 30


def test_growth_from_files(tmp_path):
    files = []
    script = os.path.join(os.path.dirname(HERE), "leaks", "missing_decref_text.py")
    with support.ready_target(support.interpreters()[0], script) as process:
        for number in range(3):
            files.append(str(tmp_path / ("%d.hwsnap" % number)))
            support.heapwhy("snapshot", process.pid, "-o", files[-1])
            support.heapwhy("audit", process.pid)  # time passes
    answer = audit(*files)
    assert answer["leaks"]
    row = answer["types"][0]
    assert row["type"] == "str" and row["grows"] and row["references_per_second"] > 10
    assert row["lost"] == row["objects"]
    assert any("GET /orders/" in text for text in row["samples"])


def test_memory_that_is_too_much(tmp_path):
    script = tmp_path / "large.py"
    script.write_text("import ctypes, time\nmalloc = ctypes.CDLL(None).malloc\n"
                      "malloc.restype = ctypes.c_void_p\nmalloc.argtypes = [ctypes.c_size_t]\n"
                      "ctypes.memset(malloc(40 << 20), 7, 40 << 20)\nprint('READY', flush=True)\n"
                      "time.sleep(1000)\n")
    file = str(tmp_path / "a.hwsnap")
    with support.ready_target(support.interpreters()[0], str(script)) as process:
        answer = audit(process.pid)
        support.heapwhy("snapshot", process.pid, "-o", file)
    assert 40 << 20 <= answer["unscanned_bytes"] < 41 << 20
    assert audit(file)["unscanned_bytes"] == answer["unscanned_bytes"]
    assert "too much to look at" in support.heapwhy("audit", file)


@EVERY
def test_what_only_c_memory_holds(interpreter, tmp_path):
    """Objects that nothing but a word in a block of malloc points at are told, and called no leak."""
    script = tmp_path / "kept.py"
    script.write_text("import ctypes, time\nclass Kept:\n    pass\n"
                      "malloc = ctypes.CDLL(None).malloc\nmalloc.restype = ctypes.c_void_p\n"
                      "def keep(made):\n"
                      "    ctypes.pythonapi.Py_IncRef(ctypes.py_object(made))\n"
                      "    ctypes.c_void_p.from_address(malloc(1000) + 64).value = id(made)\n"
                      "def churn(depth):\n"
                      "    return churn(depth - 1) if depth else len(sorted(map(str, range(20))))\n"
                      "for number in range(30):\n    keep(Kept())\n    keep(number + 0.5)\n"
                      "churn(30)\nprint('READY', flush=True)\ntime.sleep(1000)\n")
    with support.ready_target(interpreter, str(script)) as process:
        answer = audit(process.pid)
    words = {row["type"]: row["objects"] for row in answer["words"]}
    assert words["__main__.Kept"] >= 29 and words["float"] >= 28
    assert not {"__main__.Kept", "float"} & set(found(answer))
    assert answer["overcounted"] == 0 and not answer["leaks"]
