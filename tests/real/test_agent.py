# SPDX-License-Identifier: Apache-2.0
"""heapwhy run: where objects were made, known from samples, at the lines and in the amounts that are true."""
import os
import signal
import subprocess
import sys
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
import support  # noqa: E402

WORK, STRESS, LIES = (os.path.join(HERE, "agent_%s.py" % name) for name in ("work", "stress", "lies"))
AGENT = os.path.join(os.path.dirname(os.path.abspath(support.heapwhy_binary())), "src/agent/libheapwhy-agent.so")
WITH_AGENT = [python for python in support.every_interpreter() if not python.name.startswith("static")]
RATE = 1024


def agent_environment(interpreter, rate=RATE):
    """What heapwhy run sets, for interpreters of another root directory, too."""
    place = interpreter.share(AGENT)
    return {"LD_PRELOAD": place, "HEAPWHY_AGENT": str(rate)}


def line_of(text):
    with open(WORK, encoding="utf-8") as source:
        return next(number for number, line in enumerate(source, 1) if text in line)


def row_at(told, text):
    line = line_of(text)
    rows = [row for row in told["sites"] if row["file"].endswith("agent_work.py") and row["line"] == line]
    return rows[0] if rows else None


@pytest.mark.parametrize("interpreter", WITH_AGENT, ids=lambda python: python.name)
def test_estimates_are_near_the_truth(interpreter):
    with support.ready_target(interpreter, WORK, env=agent_environment(interpreter)) as process:
        told = support.heapwhy_json("sites", "--json", process.pid)
    assert (told["source"], told["rate"]) == ("agent", RATE) and told["samples"] > 12000
    blocks = row_at(told, "return bytes(")
    assert blocks["bytes"] == pytest.approx(20e6, rel=.04) and blocks["blocks"] == pytest.approx(20000, rel=.04)
    assert blocks["type"] == "bytes"
    rows = row_at(told, "row.append")
    assert rows["blocks"] == 10 and rows["bytes"] == pytest.approx(10 * 8 * 200000, rel=.2)
    forgotten = row_at(told, "# forgotten")
    assert not forgotten or forgotten["blocks"] <= 2


def test_stacks_have_functions_and_callers():
    interpreter = support.interpreters()[0]
    with support.ready_target(interpreter, WORK, env=agent_environment(interpreter)) as process:
        told = support.heapwhy_json("sites", "--json", "--by=traceback", process.pid)
        text = support.heapwhy("sites", "--by=traceback", "--all", process.pid)
    row = row_at(told, "return bytes(")
    functions = [row["function"]] + [caller["function"] for caller in row["callers"]]
    assert functions == ["make_block", "make_blocks.<locals>.<listcomp>", "make_blocks", "<module>"]
    assert "in Größe.grow" in text


def test_a_child_goes_on_with_what_it_has():
    interpreter = support.interpreters()[0]
    said = []
    with support.ready_target(interpreter, WORK, "fork", sink=said.append, env=agent_environment(interpreter)):
        child = int(said[-1])
        told = support.heapwhy_json("sites", "--json", child)
        os.kill(child, signal.SIGKILL)
    for text in "return bytes(", "# the child's":
        assert row_at(told, text)["bytes"] == pytest.approx(20e6, rel=.04)


def heapwhy_run(*args, **how):
    return subprocess.Popen([os.path.abspath(support.heapwhy_binary()), "run"] + list(args), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=support.clean_environment(), **how)


def test_threads_forks_exceptions_and_signals():
    process = heapwhy_run("--rate=1KiB", support.SYSTEM_PYTHON, STRESS, "4")
    out, err = process.communicate(timeout=100)
    assert (process.returncode, out, err) == (0, "DONE\n", "")


def test_the_program_is_as_without(tmp_path):
    (tmp_path / "ends.py").write_text("import sys; print(sys.argv[1:]); sys.exit(7)")
    process = heapwhy_run("ends.py", "--json", "-x", cwd=tmp_path)
    assert process.communicate() == ("['--json', '-x']\n", "") and process.returncode == 7
    process = heapwhy_run("-m", "ends", "y", cwd=tmp_path)
    assert process.communicate() == ("['y']\n", "") and process.returncode == 7
    process = heapwhy_run("sleep", "100")
    process.terminate()
    process.communicate()
    assert process.returncode == -signal.SIGTERM
    process = heapwhy_run("no-such-program")
    out, err = process.communicate()
    assert (process.returncode, out) == (127, "") and "cannot run no-such-program" in err
    process = heapwhy_run(str(tmp_path), cwd=tmp_path)
    assert process.communicate()[0] == "" and process.returncode == 126
    (tmp_path / "own.py").write_text("#!/bin/echo own\n")
    (tmp_path / "own.py").chmod(0o755)
    assert heapwhy_run("./own.py", "x", cwd=tmp_path).communicate() == ("own ./own.py x\n", "")


def told_of(process):
    done = subprocess.run([support.heapwhy_binary(), "sites", str(process.pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    return done.returncode, " ".join(done.stdout.split()), done.stderr


def test_what_its_shell_starts_is_followed_and_who_takes_the_hooks_away_is_told():
    code = "print('READY', flush=True); import time; time.sleep(100)"
    process = heapwhy_run("sh", "-c", "exec %s -c \"%s\"" % (support.SYSTEM_PYTHON, code))
    process.stdout.readline()
    assert told_of(process)[0] == 0
    process.kill()
    process.communicate()
    process = heapwhy_run("--rate=1KiB", support.SYSTEM_PYTHON, "-X", "dev", "-c", code)
    process.stdout.readline()
    status, out, err = told_of(process)
    process.kill()
    process.communicate()
    assert status == 0 and "allocators were not seen: Python has set them anew" in out, err


def test_a_damaged_table_does_no_harm():
    interpreter = support.interpreters()[0]
    environment = {**agent_environment(interpreter), "AGENT_LIES": AGENT}
    answers = set()
    for seed in range(25):
        with support.ready_target(interpreter, LIES, seed, env=environment) as process:
            done = subprocess.run([support.heapwhy_binary(), "sites", "--json", "--by=traceback", str(process.pid)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert done.returncode in (0, 1), done.stderr
        assert done.returncode == 0 or done.stderr.startswith("heapwhy: ")
        answers.add(done.returncode)
    assert answers == {0, 1}


def test_a_diagnosis_says_where_they_were_created(tmp_path):
    (tmp_path / "app.py").write_text(
        "import time\nkept = []\n\ndef connect(n):\n    kept.append(bytearray(n))\n\n"
        "print('READY', flush=True)\nwhile True:\n    connect(3000)\n    time.sleep(.002)\n")
    process = heapwhy_run("--rate=1KiB", support.SYSTEM_PYTHON, str(tmp_path / "app.py"))
    process.stdout.readline()
    time.sleep(.5)
    told = support.heapwhy_json("--json", "-n", "3", "-i", "1s", process.pid)
    process.kill()
    process.communicate()
    created = told["suspects"][0]["created"][0]
    assert created["line"] == 5 and created["function"] == "connect"
