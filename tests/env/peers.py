# SPDX-License-Identifier: Apache-2.0
"""Sources of other tools, whose own tests are run against ours: from PyPI, by pip, into the user's cache.

No line of theirs is in this repository.
"""
import os
import subprocess
import sys
import tarfile
import tempfile

CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "heapwhy", "peers")
DOWNLOAD_TIMEOUT_S = 300


def sdist(name, version):
    """The folder with the unpacked source distribution. OSError: it is not to be had."""
    folder = os.path.join(CACHE, "%s-%s" % (name, version))
    if os.path.isdir(folder):
        return folder
    os.makedirs(CACHE, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as fresh:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   "--no-binary", ":all:", "--dest", fresh, "%s==%s" % (name, version)]
        try:
            done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=DOWNLOAD_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise OSError("%s %s: %s" % (name, version, error)) from None
        archives = [file for file in os.listdir(fresh) if file.endswith(".tar.gz")]
        if done.returncode or len(archives) != 1:
            raise OSError("%s %s: %s" % (name, version, done.stderr.strip()[-300:]))
        with tarfile.open(os.path.join(fresh, archives[0])) as archive:
            archive.extractall(fresh)
        (top,) = [entry.path for entry in os.scandir(fresh) if entry.is_dir()]
        try:
            os.rename(top, folder)
        except OSError:
            if not os.path.isdir(folder):  # somebody else was faster
                raise
    return folder
