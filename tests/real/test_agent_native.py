# SPDX-License-Identifier: Apache-2.0
"""heapwhy run and C code: blocks of malloc and mmap are known by native and Python stack, and told when they leak."""
import os
import signal
import subprocess
import sys
import sysconfig

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

PROGRAM = os.path.join(HERE, "agent_native.py")
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
WITH_AGENT = [python for python in support.every_interpreter() if not python.name.startswith("static")]
ALLOCATORS = ["libjemalloc.so.2", "libmimalloc.so.2", "libtcmalloc_minimal.so.4"]
LIBRARIES = "/usr/lib/x86_64-linux-gnu"
RATE = 1024


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    place = tmp_path_factory.mktemp("native") / "agent_native.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-g", "-D_GNU_SOURCE", "-pthread", "-fno-builtin",
                    os.path.join(HERE, "agent_native.c"), "-o", str(place)], check=True)
    return str(place)


def environment(interpreter, beside=None, rate=RATE):
    """What heapwhy run sets, for interpreters of another root directory, too."""
    return {"LD_PRELOAD": interpreter.share(AGENT) + (":" + beside if beside else ""), "HEAPWHY_AGENT": str(rate)}


def lines_of(text, name="agent_native.c"):
    with open(os.path.join(HERE, name), encoding="utf-8") as source:
        return [number for number, line in enumerate(source, 1) if text in line]


def rows_at(told, text):
    """Of stacks that begin at the lines of C that say so."""
    lines = lines_of("/* %s */" % text)
    assert lines
    return [row for row in told["sites"] if row["file"].endswith("agent_native.c") and row["line"] in lines]


def blocks_and_bytes(told, text):
    rows = rows_at(told, text)
    return sum(row["blocks"] for row in rows), sum(row["bytes"] for row in rows)


def sites(process):
    return support.heapwhy_json("sites", "--json", "--by=traceback", process.pid)


def domain(told, name):
    return next((row for row in told["domains"] if row["name"] == name), {"blocks": 0, "bytes": 0})


def check_amounts(told):
    assert blocks_and_bytes(told, "taken") == pytest.approx((3000, 12e6), rel=.04)
    assert blocks_and_bytes(told, "in a thread") == pytest.approx((2000, 6e6), rel=.04)
    for kind in "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc", "memalign":
        assert blocks_and_bytes(told, "by " + kind) == pytest.approx((1000, 4e6), rel=.05), kind
    assert blocks_and_bytes(told, "at last") == pytest.approx((1000, 4e6), rel=.05)
    assert blocks_and_bytes(told, "mapped") == (100, 100 << 17)
    assert blocks_and_bytes(told, "cut") == (100, 100 << 15)
    for kind in "given back", "moved", "unmapped", "reserved", "shared":
        assert blocks_and_bytes(told, kind)[0] <= 2, kind
    ours = 12e6 + 6e6 + 7 * 4e6
    # What else is there, of libraries and the loader, is little; Python's objects are Python's.
    assert ours * .97 < domain(told, "malloc")["bytes"] < ours * 1.03 + 2e6
    assert 25e6 < domain(told, "python")["bytes"] < 40e6
    ours = 100 * ((1 << 17) + (1 << 15))
    assert 200 <= domain(told, "mmap")["blocks"] <= 205 and ours <= domain(told, "mmap")["bytes"] <= ours + 1e5


@pytest.mark.parametrize("interpreter", WITH_AGENT, ids=lambda python: python.name)
def test_amounts_and_stacks(interpreter, library):
    with support.ready_target(interpreter, PROGRAM, interpreter.share(library), "amounts",
                              env=environment(interpreter)) as process:
        told = sites(process)
    check_amounts(told)
    stacks = [[row["function"]] + [caller["function"] for caller in row["callers"]]
              for row in rows_at(told, "taken")]
    for stack in stacks:
        assert stack[:2] == ["take (agent_native.so)", "keep (agent_native.so)"]
        assert "handler" in stack
    assert any(stack[-1] == "<module>" for stack in stacks)
    assert any(stack[-1].endswith("_bootstrap") for stack in stacks)
    in_thread, = rows_at(told, "in a thread")
    assert in_thread["callers"][0]["function"] == "keep_thread (agent_native.so)"
    assert not any(caller["file"].endswith(".py") for caller in in_thread["callers"])


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_another_allocator_beside_it(allocator, library):
    interpreter = support.interpreters()[0]
    with support.ready_target(interpreter, PROGRAM, library, "amounts",
                              env=environment(interpreter, os.path.join(LIBRARIES, allocator))) as process:
        told = sites(process)
        with open("/proc/%d/maps" % process.pid, encoding="utf-8") as maps:
            assert os.path.splitext(allocator)[0] in maps.read()
    check_amounts(told)


def test_a_child_goes_on_with_what_it_has(library):
    interpreter = support.interpreters()[0]
    said = []
    with support.ready_target(interpreter, PROGRAM, library, "fork", sink=said.append,
                              env=environment(interpreter)) as process:
        child = int(said[-1])
        told = {pid: support.heapwhy_json("sites", "--json", "--by=traceback", pid) for pid in (process.pid, child)}
        os.kill(child, signal.SIGKILL)
    assert blocks_and_bytes(told[process.pid], "taken") == pytest.approx((1000, 5e6), rel=.05)
    assert blocks_and_bytes(told[child], "taken") == pytest.approx((2000, 10e6), rel=.05)


def heapwhy_run(*args, **variables):
    return subprocess.Popen([os.path.abspath(support.heapwhy_binary()), "run", "--rate=1KiB"] + list(args),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**support.clean_environment(), **variables})


# The others are not made for forks amid the work of several threads.
@pytest.mark.parametrize("beside", ["", "libjemalloc.so.2"])
def test_threads_and_forks(beside, library):
    variables = {"LD_PRELOAD": os.path.join(LIBRARIES, beside)} if beside else {}
    process = heapwhy_run(support.SYSTEM_PYTHON, PROGRAM, library, "stress", "2", **variables)
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (0, "DONE\n", "")


def test_greenlets_have_their_own_stacks(library):
    if subprocess.run([support.SYSTEM_PYTHON, "-c", "import greenlet"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no greenlet")
    interpreter = support.interpreters()[0]
    with support.ready_target(interpreter, PROGRAM, library, "greenlets", env=environment(interpreter)) as process:
        told = sites(process)
    rows = rows_at(told, "taken")
    assert sum(row["blocks"] for row in rows) == pytest.approx(30 * 40 * 5, rel=.1)
    for row in rows:
        functions = [caller["function"] for caller in row["callers"]]
        assert functions[0] == "keep (agent_native.so)"
        assert functions[-2:] == ["handler", "greenlets.<locals>.worker"]


def diagnosis(words, **variables):
    process = heapwhy_run(*words, **variables)
    process.stdout.readline()
    told = support.heapwhy_json("--json", "-n", "3", "-i", "1.5s", process.pid)
    process.kill()
    process.communicate()
    return told


def places(created):
    frames = [created] + created["callers"]
    return [(os.path.basename(frame["file"]), frame["line"], frame["function"]) for frame in frames]


def test_an_extension_that_leaks_is_named_with_its_stack(tmp_path):
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-g", "-I" + sysconfig.get_paths()["include"],
                    os.path.join(HERE, "agent_extension.c"), "-o", str(tmp_path / "leaky.so")], check=True)
    (tmp_path / "app.py").write_text(
        "import leaky, time\n\ndef handler(n):\n    leaky.parse(n)\n\nprint('READY', flush=True)\n"
        "while True:\n    handler(9000)\n    time.sleep(.002)\n")
    told = diagnosis([sys.executable, str(tmp_path / "app.py")])
    suspect = told["suspects"][0]
    assert (told["verdict"], suspect["pattern"], suspect["cause"]) == ("leak", "native-memory", "missing-free")
    assert places(suspect["created"][0]) == [
        ("agent_extension.c", lines_of("/* leaked */", "agent_extension.c")[0], "leak_block (leaky.so)"),
        ("agent_extension.c", lines_of("/* called */", "agent_extension.c")[0], "parse (leaky.so)"),
        ("app.py", 4, "handler"), ("app.py", 8, "<module>")]
    assert "leak_block (leaky.so)" in told["answer"]
    assert suspect["created"][0]["bytes"] == pytest.approx(suspect["created"][0]["objects"] * 9000, rel=.01)


@pytest.mark.parametrize("allocator", ["", "libjemalloc.so.2"])
def test_what_grows_is_told_and_not_what_is_large_or_comes_and_goes(allocator, library):
    beside = {"LD_PRELOAD": os.path.join(LIBRARIES, allocator)} if allocator else {}
    told = diagnosis([support.SYSTEM_PYTHON, PROGRAM, library, "leak"], **beside)
    suspect = told["suspects"][0]
    assert (told["verdict"], suspect["cause"]) == ("leak", "missing-free")
    assert len(suspect["created"]) == 1
    functions = [function for _, _, function in places(suspect["created"][0])]
    assert functions[:2] == ["take (agent_native.so)", "keep (agent_native.so)"]
    assert functions[-3:] == ["handler", "leak", "<module>"]


def test_mappings_that_leak(library):
    told = diagnosis([support.SYSTEM_PYTHON, PROGRAM, library, "leak_mappings"])
    suspect = told["suspects"][0]
    assert (told["verdict"], suspect["cause"], suspect["type"]) == ("leak", "missing-munmap", "mmap")
    assert places(suspect["created"][0])[0] == (
        "agent_native.c", lines_of("/* mapped */")[0], "keep_mapping (agent_native.so)")
    assert places(suspect["created"][0])[-1][0] == "agent_native.py"


def test_mappings_are_gone_page_by_page(tmp_path):
    (tmp_path / "maps.py").write_text(
        "import ctypes, time\nlibc = ctypes.CDLL(None)\nlibc.mmap.restype = ctypes.c_void_p\n"
        "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]\n"
        "libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]\n"
        "for at in [libc.mmap(None, 8192, 3, 0x22, -1, 0) for _ in range(2000)]:\n    libc.munmap(at, 5000)\n"
        "print('READY', flush=True)\ntime.sleep(1000)\n")
    process = heapwhy_run("--rate=1KiB", support.SYSTEM_PYTHON, str(tmp_path / "maps.py"))
    process.stdout.readline()
    told = sites(process)
    process.kill()
    process.communicate()
    mapped = [domain["bytes"] for domain in told["domains"] if domain["name"] == "mmap"]
    assert sum(mapped) < 2000 * 8192 / 4


def test_without_debug_information_and_without_symbols(tmp_path):
    names = {}
    for name, options in ("exported", ["-fvisibility=default"]), ("stripped", ["-s", "-Wl,--version-script=/dev/stdin"]):
        place = str(tmp_path / (name + ".so"))
        script = "{ global: keep; give_back; keep_mapping; cut_mapping; give_back_mapping; local: *; };"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-D_GNU_SOURCE", "-fno-builtin", *options,
                        os.path.join(HERE, "agent_native.c"), "-o", place], input=script, text=True, check=True)
        interpreter = support.interpreters()[0]
        with support.ready_target(interpreter, PROGRAM, place, "leak", env=environment(interpreter)) as process:
            told = sites(process)
        row = max((row for row in told["sites"] if row["file"] == place), key=lambda row: row["bytes"])
        assert row["line"] == 0 and row["callers"][0]["file"] == place
        names[name] = row["function"], row["callers"][0]["function"]
    assert names["exported"] == ("take", "keep")
    assert names["stripped"][0].startswith("0x") and names["stripped"][1] == "keep"
