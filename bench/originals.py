# SPDX-License-Identifier: Apache-2.0
"""The peers to measure against, in one environment: provisioned as for the tests (tests/env/peers.py)."""

import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "env"))
import peers  # noqa: E402

PACKAGES = ("objgraph", "guppy3", "pympler")
VERSIONS = "import importlib.metadata as m, sys; print(*map(m.version, sys.argv[1:]))"


def why_not(package):
    """None, or why a package can't be had."""
    try:
        peers.environment(package, sys.executable, [package])
    except OSError as error:
        return str(error).strip().splitlines()[-1]
    return None


def prepare():
    """The interpreter that has them, their versions, and for those missing the reason."""
    packages, missing = list(PACKAGES), {}
    try:
        python = peers.environment("bench", sys.executable, packages)
    except OSError:
        reasons = {package: why_not(package) for package in PACKAGES}
        missing = {package: reason for package, reason in reasons.items() if reason}
        packages = [package for package in PACKAGES if package not in missing]
        if not packages:
            return sys.executable, {}, missing
        python = peers.environment("bench", sys.executable, packages)
    told = subprocess.run([python, "-c", VERSIONS, *packages], stdout=subprocess.PIPE, text=True, check=True).stdout
    return python, dict(zip(packages, told.split())), missing
