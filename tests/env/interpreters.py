# SPDX-License-Identifier: Apache-2.0
"""The interpreters that the real tests run against.

interpreters() provisions what is missing (minutes the first time, then cached) and returns:

    system-3.11   the machine's own /usr/bin/python3.11
    debian-3.13   python3 of Debian trixie in a directory, run through chroot
    static-3.13   a released 3.13 without distribution patches, libpython linked in
    pyenv-*       3.11.7 and 3.13.0 with a shared libpython, where pyenv has them

The first three must be there: a missing one is an error, not a skip. Set
HEAPWHY_OPTIONAL_INTERPRETERS=1 to do without those that cannot be had, on a machine without root
or without a mirror; a warning then says which.

more_interpreters() returns those of other versions, for the few tests that every version must pass:

    pyenv-*       3.9.18, 3.10.13, 3.12.1 with a shared libpython, where pyenv has them
    debian-3.14   python3.14 of Debian forky in a directory, run through chroot

None of them must be there. The Python package is built and tested for debian-3.14, too, by
tests/env/python3.14, which starts it as if it were an interpreter of this machine. Set HEAPWHY_INTERPRETERS=NAME,NAME to run any test on those alone,
whichever list they are in.
"""
import atexit
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
PYENV = {'3.11.7': '3.11', '3.13.0': '3.13'}
MORE_PYENV = {'3.9.18': '3.9', '3.10.13': '3.10', '3.12.1': '3.12'}
ONE_ROW = {'3.9', '3.10', '3.11', '3.12', '3.14'}  # series of which one row covers every release


# In a chroot; of this run alone, which others at the same time must not remove.
OWNER = os.getpid()
SHARED = f'/var/lib/heapwhy-tests-{OWNER}'


def copy_file(source, target):
    """Copy unless it is there already; never leaves half a file under the target's name."""
    have, want = os.path.exists(target) and os.stat(target), os.stat(source)
    if have and (have.st_size, have.st_mtime_ns) == (want.st_size, want.st_mtime_ns):
        return
    half = f'{target}.{os.getpid()}'
    shutil.copy2(source, half)
    os.replace(half, target)


def remove_shared(root):
    """At the end of the run, which a fork of it is not."""
    if os.getpid() == OWNER:
        shutil.rmtree(root + SHARED, ignore_errors=True)


class Interpreter:
    """One target: name, version ("3.13"), executable as the target sees it, root of its chroot."""

    def __init__(self, name, version, executable, root=None, layout=None):
        self.name, self.version, self.executable, self.root = name, version, executable, root
        self.layout = layout  # the row that should be chosen for it
        if root is not None:
            atexit.register(remove_shared, root)

    def __repr__(self):
        return self.name

    def share(self, path):
        """Where the target sees a copy of a file or a directory; forget() removes the copy."""
        path = os.path.abspath(path)
        if self.root is None:
            return path
        inside = os.path.join(SHARED, uuid.uuid4().hex)
        os.makedirs(self.root + inside)
        place = os.path.join(inside, os.path.basename(path))
        copy = shutil.copytree if os.path.isdir(path) else shutil.copy2
        copy(path, self.root + place)
        return place

    def forget(self, place):
        """Remove what share() copied."""
        if self.root is not None:
            shutil.rmtree(self.root + os.path.dirname(place), ignore_errors=True)

    def script_place(self, path):
        """Where the target sees a script, with the files beside it, which it may import. The copy
        stays until the end of the run and is brought up to date each time."""
        path = os.path.abspath(path)
        if self.root is None:
            return path
        here = os.path.dirname(path)
        inside = os.path.join(SHARED, hashlib.sha1(here.encode()).hexdigest()[:16])
        os.makedirs(self.root + inside, exist_ok=True)
        for entry in os.scandir(here):
            if entry.is_file():
                copy_file(entry.path, os.path.join(self.root + inside, entry.name))
        return os.path.join(inside, os.path.basename(path))

    def command(self, script, args=()):
        """Argument list; SCRIPT as the target sees it. The pid stays that of the first process."""
        run = [self.executable, script] + [str(arg) for arg in args]
        return run if self.root is None else ['chroot', self.root] + run

    def popen(self, script_path, args=(), **options):
        """Start a script of this machine in the target. The pid is that of the interpreter."""
        environment = dict(options.pop('env', os.environ))
        for name in ('PYTHONPATH', 'PYTHONHOME', 'PYTHONSTARTUP'):
            environment.pop(name, None)
        return subprocess.Popen(self.command(self.script_place(script_path), args),
                                env=environment, **options)

    def run(self, script_path, args=(), **options):
        """(exit status, stdout, stderr) of a script that ends by itself."""
        process = self.popen(script_path, args, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True)
        try:
            out, err = process.communicate(**options)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise
        return process.returncode, out, err


def provision(script):
    """The path that tests/env/SCRIPT prints."""
    run = subprocess.run([os.path.join(HERE, script)], stdout=subprocess.PIPE, text=True,
                         check=False)
    if run.returncode != 0:
        raise RuntimeError(f'tests/env/{script} failed (exit status {run.returncode})')
    return run.stdout.split()[-1]


def system():
    path = '/usr/bin/python3.11'
    if not os.access(path, os.X_OK):
        raise RuntimeError(f'{path} is not there')
    return Interpreter('system-3.11', '3.11', path, layout='3.11')


def debian():
    root = provision('chroot-trixie')
    return Interpreter('debian-3.13', '3.13', '/usr/bin/python3', root, '3.13.5-debian')


def static():
    return Interpreter('static-3.13', '3.13', provision('static-python'), layout='3.13.5')


def debian_next():
    root = provision('chroot-forky')
    return Interpreter('debian-3.14', '3.14', '/usr/bin/python3.14', root, '3.14')


def pyenv(releases):
    home = os.environ.get('PYENV_ROOT', os.path.expanduser('~/.pyenv'))
    for release, version in releases.items():
        path = os.path.join(home, 'versions', release, 'bin', 'python' + version)
        if os.access(path, os.X_OK):
            layout = version if version in ONE_ROW else release
            yield Interpreter('pyenv-' + release, version, path, layout=layout)


def further():
    found = list(pyenv(MORE_PYENV))
    try:
        found.append(debian_next())
    except RuntimeError as error:
        print(f'interpreters: going without debian-3.14: {error}', file=sys.stderr)
    return found


def required():
    found = []
    for make in (system, debian, static):
        try:
            found.append(make())
        except RuntimeError as error:
            if os.environ.get('HEAPWHY_OPTIONAL_INTERPRETERS') != '1':
                raise
            print(f'interpreters: going without {make.__name__}: {error}', file=sys.stderr)
    return found


def chosen(names):
    """Those of $HEAPWHY_INTERPRETERS."""
    known = {target.name: target for target in pyenv({**PYENV, **MORE_PYENV})}
    for more in (required, further):
        if not set(names) <= set(known):
            known.update((target.name, target) for target in more())
    return tuple(known[name] for name in names)


@functools.lru_cache(maxsize=None)
def interpreters():
    """All targets; raises RuntimeError when one that must be there is not."""
    names = os.environ.get('HEAPWHY_INTERPRETERS')
    if names:
        return chosen(names.split(','))
    return tuple(required()) + tuple(pyenv(PYENV))


@functools.lru_cache(maxsize=None)
def more_interpreters():
    """Targets of other versions, as far as this machine has them."""
    if os.environ.get('HEAPWHY_INTERPRETERS'):
        return ()
    return tuple(further())


def main():
    for target in interpreters() + more_interpreters():
        print(target.name, target.root or target.executable)


if __name__ == '__main__':
    main()
