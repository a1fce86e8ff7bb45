# SPDX-License-Identifier: Apache-2.0
"""What tests on real processes need: the binary, interpreters, a target that has said READY."""
import contextlib
import json
import os
import subprocess
import sys
import threading

TESTS = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(TESTS)

HEAPWHY_TIMEOUT_S = 240
READY_TIMEOUT_S = 100
SYSTEM_PYTHON = "/usr/bin/python3"


class PlainInterpreter:
    """An interpreter of this machine, with the face of those in tests/env/interpreters.py."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.realpath(path).strip("/").replace("/", "-")

    def share(self, path):
        return path

    def forget(self, place):
        pass

    def command(self, script, args=()):
        return [self.path, script] + [str(arg) for arg in args]


def known_interpreters():
    """tests/env/interpreters.py"""
    sys.path.insert(0, os.path.join(TESTS, "env"))
    try:
        import interpreters as known
    finally:
        sys.path.remove(os.path.join(TESTS, "env"))
    return known


def interpreters():
    """All interpreters to test with; the first is the main one.

    $HEAPWHY_PYTHONS, paths with colons between them, overrules what is known.
    """
    chosen = os.environ.get("HEAPWHY_PYTHONS")
    if chosen:
        return [PlainInterpreter(path) for path in chosen.split(":")]
    try:
        return known_interpreters().interpreters()
    except ImportError:
        return [PlainInterpreter(SYSTEM_PYTHON)]


def every_interpreter():
    """The same and, after them, those of other versions that this machine has."""
    if os.environ.get("HEAPWHY_PYTHONS"):
        return interpreters()
    return tuple(interpreters()) + known_interpreters().more_interpreters()


def heapwhy_binary():
    path = os.environ.get("HEAPWHY") or os.path.join(ROOT, "build", "heapwhy")
    if not os.access(path, os.X_OK):
        raise FileNotFoundError("%s: build heapwhy first, or name it in $HEAPWHY" % path)
    return path


def package_site():
    """The folder to import heapwhy from: built beside the program, for every interpreter of tools/pythons."""
    return os.path.join(os.path.dirname(os.path.abspath(heapwhy_binary())), "site")


def package_pythons():
    """The interpreters that the package was built for; $HEAPWHY_PACKAGE_PYTHONS, with commas, overrules them."""
    chosen = os.environ.get("HEAPWHY_PACKAGE_PYTHONS")
    if chosen:
        return chosen.split(",")
    done = subprocess.run([os.path.join(ROOT, "tools", "pythons"), package_site()], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip().split(",")


def counting_pythons():
    """Those to look for lost references with: the main one, and debug builds, which count every reference."""
    return [python for python in package_pythons() if python == SYSTEM_PYTHON or python.endswith("-dbg")]


def python_inside(code, python=SYSTEM_PYTHON, args=(), env=None, timeout=HEAPWHY_TIMEOUT_S):
    """Runs Python code with the package in reach; returns what it printed, fails with what it complained about."""
    done = subprocess.run([python, "-c", code] + [str(arg) for arg in args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout,
                          env={**clean_environment(), "PYTHONPATH": package_site(), **(env or {})})
    if done.returncode:
        raise AssertionError("%s: exit status %d: %s" % (python, done.returncode, done.stderr.strip()))
    return done.stdout


def heapwhy(*args, timeout=HEAPWHY_TIMEOUT_S):
    """Runs heapwhy; returns what it printed. Fails with what it complained about."""
    command = [heapwhy_binary()] + [str(arg) for arg in args]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout)
    if done.returncode:
        raise AssertionError("%s: exit status %d: %s" % (
            " ".join(command), done.returncode, done.stderr.decode(errors="replace").strip()))
    return done.stdout.decode(errors="replace")


def heapwhy_json(*args, timeout=HEAPWHY_TIMEOUT_S):
    return json.loads(heapwhy(*args, timeout=timeout))


def clean_environment():
    """Without what changes an interpreter, or a program of the corpus, by accident.

    The sanitized run needs its allocator in every process: what Python's own has in use, no sanitizer watches.
    """
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "HEAPWHY_CORPUS_")) or (name == "PYTHONMALLOC" and "LD_PRELOAD" in os.environ)}


def wait_until_ready(process, sink):
    patience = threading.Timer(READY_TIMEOUT_S, process.kill)
    patience.start()
    try:
        for line in process.stdout:
            if line.strip() == b"READY":
                return
            if sink:
                sink(line)
    finally:
        patience.cancel()
    raise AssertionError("%s ended before it was ready, or was not ready in %d s" % (
        " ".join(process.args), READY_TIMEOUT_S))


@contextlib.contextmanager
def ready_target(interpreter, script, *args, sink=None, env=None):
    """Starts script, with its folder in reach, waits until it prints READY, kills it in the end.

    Lines that it prints before go to sink(), as bytes. env: variables to add.
    """
    place = interpreter.share(os.path.dirname(os.path.abspath(script)))
    command = interpreter.command(os.path.join(place, os.path.basename(script)), args)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               env={**clean_environment(), **(env or {})}, start_new_session=True)
    try:
        wait_until_ready(process, sink)
        yield process
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        interpreter.forget(place)
