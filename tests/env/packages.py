# SPDX-License-Identifier: Apache-2.0
"""Virtual environments with packages of PyPI, for tests that need them: made once, then cached.

    python = packages.environment("pytest-8", "/usr/bin/python3", ["pytest==8.3.5", "pytest-xdist"])
"""
import hashlib
import os
import subprocess

CACHE = os.path.expanduser("~/.cache/heapwhy/environments")


def environment(name, python, requirements):
    """The path of an interpreter that has these packages."""
    asked = "\n".join([os.path.realpath(python)] + sorted(requirements))
    place = os.path.join(CACHE, "%s-%s" % (name, hashlib.sha256(asked.encode()).hexdigest()[:12]))
    done, interpreter = os.path.join(place, "done"), os.path.join(place, "bin", "python")
    if not os.path.exists(done):
        subprocess.run([python, "-m", "venv", "--clear", place], check=True)
        subprocess.run([interpreter, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"] + list(requirements),
                       check=True, stdin=subprocess.DEVNULL)
        with open(done, "w", encoding="utf-8") as file:
            file.write(asked)
    return interpreter
