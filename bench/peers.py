# SPDX-License-Identifier: Apache-2.0
"""Where the peers come from: PyPI, into a virtual environment in the user's cache."""

import os
import subprocess
import sys
from pathlib import Path

MODULES = {"objgraph": "objgraph", "guppy3": "guppy", "pympler": "pympler"}
INSTALL_SECONDS = 300


def home():
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "heapwhy" / "bench-venv"


def has(python, module):
    return subprocess.run([python, "-c", f"import {module}"], stderr=subprocess.DEVNULL).returncode == 0


def install(python, package):
    """None, or why not."""
    command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return "pip took too long"
    lines = done.stderr.strip().splitlines() or ["pip failed"]
    return lines[-1] if done.returncode else None


def version(python, package):
    code = f"import importlib.metadata as m; print(m.version({package!r}))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    return done.stdout.strip() or "?"


def prepare():
    """The interpreter that has them, their versions, and for those missing the reason."""
    python = home() / "bin" / "python3"
    versions, missing = {}, {}
    if not python.exists():
        made = subprocess.run(
            [sys.executable, "-m", "venv", str(home())], capture_output=True, text=True
        )
        if made.returncode:
            return Path(sys.executable), versions, dict.fromkeys(MODULES, "python3 -m venv failed")
    for package, module in MODULES.items():
        reason = None if has(python, module) else install(python, package)
        if reason:
            missing[package] = reason
        else:
            versions[package] = version(python, package)
    return python, versions, missing
