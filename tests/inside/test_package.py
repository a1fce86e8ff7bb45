# SPDX-License-Identifier: Apache-2.0
"""What pip makes of the source tree: the command, python -m heapwhy, import heapwhy."""
import os
import pkgutil
import shutil
import subprocess

import pytest
from support import ROOT, SYSTEM_PYTHON, clean_environment


def made_here(folder, names):
    """What a build, git and tests left in the tree."""
    if folder == ROOT:
        return [name for name in names if name in (".git", "build") or name.startswith("build-")]
    return [name for name in names if name == "__pycache__"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A virtual environment with the package in it, built from a copy of the tree."""
    place = tmp_path_factory.mktemp("pip")
    source, venv = place / "source", place / "venv"
    shutil.copytree(ROOT, source, ignore=made_here, symlinks=True)
    subprocess.run([SYSTEM_PYTHON, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", source],
                   check=True, stdin=subprocess.DEVNULL, env=clean_environment(), timeout=600)
    return venv / "bin"


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/",
                          env=clean_environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_and_the_module_are_one_program(environment):
    told = output(environment / "heapwhy", "--version")
    assert told.startswith("heapwhy ")
    assert output(environment / "python", "-m", "heapwhy", "--version") == told


def test_the_package_can_be_imported(environment):
    told = output(environment / "python", "-c", "import heapwhy; print(heapwhy.__version__, heapwhy.__file__)")
    version, path = told.split()
    assert output(environment / "heapwhy", "--version").split()[1] == version
    assert os.path.exists(os.path.join(os.path.dirname(path), "py.typed"))


def test_no_module_hides_a_function():
    """Importing heapwhy.NAME puts the module in the place of what heapwhy.NAME is for users."""
    import heapwhy
    modules = {info.name for info in pkgutil.iter_modules(heapwhy.__path__)}
    assert modules and not modules & set(heapwhy.__all__)
