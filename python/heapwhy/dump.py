# SPDX-License-Identifier: Apache-2.0
"""A snapshot at the worst moment: when memory runs out.

    dump_on_memory_error(path)    when a MemoryError reaches the top of the program or of a thread
    dump_near_limit(path)         when memory comes near what the container or the process may have

The snapshot is taken by the program heapwhy from outside, which this process starts. All that this takes is prepared
when the function is called: at the moment itself neither Python nor malloc is asked for memory. The file appears under
its name only when it is complete, readable by its owner alone; no more than `dumps` are written.

Why from outside: a process that is short of memory can't build a graph of itself, and one that is killed takes
its own answer along. The program needs some 60 bytes for each object; it offers itself to the kernel to be killed
first, so that a snapshot that does not fit fails, and the service goes on.
"""
import os
import shutil
import sys
import threading
from typing import Any, List, TypeVar, Union

from heapwhy import NotFoundError, UsageError, _heapwhy, arguments

_Self = TypeVar("_Self", bound="_Armed")
_MONITORING_IDS = (3, 4)  # sys.monitoring: 0, 1, 2 and 5 have owners by convention


DUMPS_MOST = 1000


def _dump(path, dumps, timeout, values):
    """What takes them, with all that it needs, and their paths; what was given is looked at first."""
    paths = _paths(path, dumps)
    wait_ms = min(int(arguments.seconds("timeout", timeout) * 1000), (1 << 31) - 1)
    return _heapwhy.Dump(find_program(), paths, max(1, wait_ms), values), paths


def find_program() -> str:
    """The path of the program heapwhy: of this package, or in PATH."""
    own = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "heapwhy")
    found = own if os.access(own, os.X_OK) else shutil.which("heapwhy")
    if not found:
        raise NotFoundError("the program heapwhy is neither at %s nor in PATH; install the package again, or put it "
                            "into PATH" % own)
    return os.path.abspath(found)


def _paths(path, dumps):
    """path, path-2, ...; before the last suffix. {pid} is this process."""
    dumps = arguments.whole("dumps", dumps, 1)
    if dumps > DUMPS_MOST:
        raise UsageError("dumps must be %d or less: the name of each is prepared" % DUMPS_MOST)
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError("path must be a file name, not %s" % arguments.kind_of(path))
    path = os.path.abspath(os.fsdecode(path).replace("{pid}", str(os.getpid())))
    if not os.path.isdir(os.path.dirname(path)):
        raise NotFoundError("%s: no such directory, so a snapshot can't be written there" % os.path.dirname(path))
    base, suffix = os.path.splitext(path)
    return [path] + ["%s-%d%s" % (base, number, suffix) for number in range(2, dumps + 1)]


class _Armed:
    """What is set up; stop() takes it back."""

    def __init__(self, dump: _heapwhy.Dump, paths: List[str]) -> None:
        self._dump = dump
        self._paths = paths
        self._stopped = False

    def __repr__(self) -> str:
        return "<heapwhy.%s: %s, %d of %s begun%s>" % (
            type(self).__name__, self._paths[0], self.taken, arguments.counted(len(self._paths), "snapshot"),
            ", stopped" if self._stopped else "")

    @property
    def taken(self) -> int:
        """How many snapshots were begun."""
        return self._dump.taken

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *unused: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Takes it back; again, it does nothing."""
        raise NotImplementedError


class OnMemoryError(_Armed):
    """Hooks that are in place. stop() puts back what was there, where nobody came after."""

    def __init__(self, dump: _heapwhy.Dump, paths: List[str], caught: bool) -> None:
        super().__init__(dump, paths)
        self._tool = _monitor(dump) if caught else None
        self._hooks = []
        for module, name in ((sys, "excepthook"), (threading, "excepthook"), (sys, "unraisablehook")):
            before = getattr(module, name)
            hook = dump.hook(before)
            setattr(module, name, hook)
            self._hooks.append((module, name, hook, before))

    def stop(self) -> None:
        """Puts back the hooks that are still ours."""
        for module, name, hook, before in self._hooks:
            if getattr(module, name) is hook:
                setattr(module, name, before)
        self._hooks = []
        self._stopped = True
        if self._tool is not None:
            sys.monitoring.set_events(self._tool, 0)
            sys.monitoring.free_tool_id(self._tool)
            self._tool = None


def _monitor(dump):
    if not hasattr(sys, "monitoring"):
        raise UsageError("caught=True needs sys.monitoring, which Python has from 3.12 on; this is %d.%d" % sys.version_info[:2])
    monitoring = sys.monitoring
    tool = next((tool for tool in _MONITORING_IDS if monitoring.get_tool(tool) is None), None)
    if tool is None:
        raise UsageError("no tool id of sys.monitoring is free, so exceptions that are caught can't be seen")
    monitoring.use_tool_id(tool, "heapwhy")
    monitoring.register_callback(tool, monitoring.events.RAISE, dump.hook(None))
    monitoring.set_events(tool, monitoring.events.RAISE)
    return tool


class NearLimit(_Armed):
    """A thread that watches. stop() ends it."""

    def __init__(self, dump: _heapwhy.Dump, paths: List[str], fraction: float, interval: float) -> None:
        super().__init__(dump, paths)
        dump.watch(_groups(), fraction, max(1, min(int(interval * 1000), (1 << 31) - 1)))

    def stop(self) -> None:
        """Ends the watch."""
        self._dump.stop()
        self._stopped = True


def dump_on_memory_error(path: Union[str, "os.PathLike[str]"], *, dumps: int = 1, values: bool = True,
                         caught: bool = False, timeout: float = 120.0) -> OnMemoryError:
    """Writes a snapshot to path when a MemoryError ends the program, a thread, or a finalizer.

    path     the file; {pid} in it is replaced. A second snapshot is called path-2, and so on
    dumps    at most so many snapshots
    values   False: without the contents of strings, bytes and numbers
    caught   from 3.12 on: also for those that the program catches, at the raise (sys.monitoring; an exception costs some
             100 ns more, all else nothing)
    timeout  seconds after which the snapshot is given up

    Returns an OnMemoryError; its stop(), or the end of a with block, takes the hooks back.

    >>> heapwhy.dump_on_memory_error("/var/crash/app-{pid}.hwsnap")

    The stack of the error is still there, so its local variables are among the holders. What asyncio and servers catch,
    only caught=True sees. CPython has no other place where an exception can be met before a handler has it.
    Raises TypeError, UsageError, NotFoundError (no program, no directory), OSError.
    """
    return OnMemoryError(*_dump(path, dumps, timeout, values), caught)


def dump_near_limit(path: Union[str, "os.PathLike[str]"], fraction: float = 0.9, *, interval: float = 0.5,
                    dumps: int = 1, values: bool = True, timeout: float = 120.0) -> NearLimit:
    """Writes a snapshot to path when memory passes a fraction of what this process may have.

    fraction  of the control group's limit (version 1 or 2, its own or one above; caches that the kernel can drop do not
              count), of RLIMIT_AS, or of RLIMIT_DATA: the one that is nearest
    interval  seconds from look to look; a look reads some small files, in C, without the interpreter
    others    as for dump_on_memory_error(); a further snapshot comes only when memory was a tenth below meanwhile

    Returns a NearLimit; its stop(), or the end of a with block, ends the watch. A forked child does not watch: call it
    there again. Choose a fraction that leaves room for the program: some 60 bytes for each object.

    >>> heapwhy.dump_near_limit("/var/crash/app-{pid}.hwsnap", 0.8)

    Raises TypeError, UsageError, NotFoundError (no program, no directory), OSError.
    """
    if not isinstance(fraction, (int, float)):
        raise TypeError("fraction must be a number, not %s" % arguments.kind_of(fraction))
    if not 0 < fraction <= 1:
        raise UsageError("fraction must be above 0 and at most 1, not %g" % fraction)
    interval = arguments.seconds("interval", interval)
    return NearLimit(*_dump(path, dumps, timeout, values), fraction, interval)


# ---- control groups ----

_FILES = {  # kernel, admin-guide/cgroup-v1/memory.rst and cgroup-v2.rst
    1: ("memory.usage_in_bytes", "memory.limit_in_bytes", "memory.stat", "total_inactive_file "),
    2: ("memory.current", "memory.max", "memory.stat", "inactive_file "),
}


def _mounts(text):
    """{version: (mount point, group that is its root)} of /proc/self/mountinfo (proc(5))."""
    found = {}
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 5 or len(rest) < 3:
            continue
        if rest[0] == "cgroup2":
            found.setdefault(2, (fields[4], fields[3]))
        elif rest[0] == "cgroup" and "memory" in rest[2].split(","):
            found.setdefault(1, (fields[4], fields[3]))
    return found


def _membership(text):
    """{version: path of the group} of /proc/self/cgroup (cgroups(7))."""
    found = {}
    for line in text.splitlines():
        _, controllers, path = (line.split(":", 2) + ["", ""])[:3]
        if controllers == "":
            found[2] = path
        elif "memory" in controllers.split(","):
            found[1] = path
    return found


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _groups(proc="/proc/self"):
    """The files of the group and of all above it, for Dump.watch()."""
    mounts, groups = _mounts(_read(proc + "/mountinfo")), []
    for version, path in _membership(_read(proc + "/cgroup")).items():
        if version not in mounts:
            continue
        mount, root = mounts[version]
        # in a container the mount may show only the part of the hierarchy that is its own
        if root != "/" and (path + "/").startswith(root.rstrip("/") + "/"):
            path = path[len(root.rstrip("/")):]
        parts = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(parts), -1, -1):
            directory = "/".join([mount.rstrip("/")] + parts[:depth])
            usage, limit, stat, key = _FILES[version]
            groups.append(("%s/%s" % (directory, usage), "%s/%s" % (directory, limit), "%s/%s" % (directory, stat), key))
    return groups
