# SPDX-License-Identifier: Apache-2.0
"""Sources of other tools, with their tests: from PyPI, into the user's cache. Nothing of them is committed."""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

PIP_SECONDS = 300


def home():
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "heapwhy", "peer-sources")


def download(name, version, folder):
    """The source archive of a release."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
               "--no-binary", ":all:", "--dest", folder, "%s==%s" % (name, version)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=PIP_SECONDS)
    if done.returncode:
        raise RuntimeError("pip could not get %s %s: %s" % (name, version, done.stderr.strip()))
    (archive,) = os.listdir(folder)
    return os.path.join(folder, archive)


def source(name, version):
    """The folder with a release's sources; fetched the first time."""
    target = os.path.join(home(), "%s-%s" % (name, version))
    if os.path.isdir(target):
        return target
    os.makedirs(home(), exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home()) as folder:
        archive = download(name, version, folder)
        with tarfile.open(archive) as tar:
            tar.extractall(folder)
        (unpacked,) = [entry for entry in os.scandir(folder) if entry.is_dir()]
        try:
            os.rename(unpacked.path, target)
        except OSError:
            if not os.path.isdir(target):  # somebody else was faster
                raise
            shutil.rmtree(unpacked.path)
    return target
