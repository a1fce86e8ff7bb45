# SPDX-License-Identifier: Apache-2.0
"""Other tools that tests need, from PyPI by pip: their sources, or environments that have them. Made once, then
kept in the user's cache. OSError: they are not to be had.

    folder = peers.sdist("objgraph", "3.7.0")
    python = peers.environment("guppy3", "/usr/bin/python3", ["guppy3==3.1.7"])

No line of theirs is in this repository.
"""
import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "heapwhy", "peers")
PIP_TIMEOUT_S = 600


def run(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=PIP_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise OSError(str(error)) from None
    if done.returncode:
        raise OSError("%s: %s" % (" ".join(command), done.stdout.strip()[-300:]))


def pip(python, *arguments):
    run(python, "-m", "pip", *arguments, "--quiet", "--disable-pip-version-check")


def sdist(name, version):
    """The folder with the unpacked source distribution."""
    folder = os.path.join(CACHE, "%s-%s" % (name, version))
    if os.path.isdir(folder):
        return folder
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as fresh:
        pip(sys.executable, "download", "--no-deps", "--no-binary", ":all:", "--dest", fresh, "%s==%s" % (name, version))
        (archive_name,) = [file for file in os.listdir(fresh) if file.endswith(".tar.gz")]
        with tarfile.open(os.path.join(fresh, archive_name)) as archive:
            archive.extractall(fresh)
        (top,) = [entry.path for entry in os.scandir(fresh) if entry.is_dir()]
        try:
            os.rename(top, folder)
        except OSError:
            if not os.path.isdir(folder):  # somebody else was faster
                raise
    return folder


def environment(name, python, requirements):
    """The path of an interpreter that has these packages, in a virtual environment of python's."""
    asked = "\n".join([os.path.realpath(python)] + sorted(requirements))
    place = os.path.join(CACHE, "%s-%s" % (name, hashlib.sha256(asked.encode()).hexdigest()[:12]))
    done, interpreter = os.path.join(place, "done"), os.path.join(place, "bin", "python")
    if not os.path.exists(done):
        run(python, "-m", "venv", "--clear", place)
        pip(interpreter, "install", *requirements)
        with open(done, "w", encoding="utf-8") as file:
            file.write(asked)
    return interpreter
