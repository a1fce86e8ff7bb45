# SPDX-License-Identifier: Apache-2.0
"""Growth: since the last call, or over a block of code."""
import os
import threading
from typing import Any, Dict, List, Optional, Tuple

from heapwhy import _heapwhy, arguments
from heapwhy.naming import type_name
from heapwhy.records import Answer, Grown, Growth, Record, Rows
from heapwhy.snapshots import Snapshot, snapshot


class GrowthRow(Record):
    """A type: `type`, `objects` and `bytes` now, `objects_delta` and `bytes_delta` since the last call."""
    __slots__ = ()


# What growth() saw last: our own, so the next one does not count it.
_counted: Dict[str, Tuple[int, int]] = {}
_last: Optional[Snapshot] = None


def _counts() -> Dict[str, Tuple[int, int]]:
    """{name: (count, bytes)} of all that is alive but heapwhy's own; types of one name together."""
    rows = _heapwhy.census(own=False)
    found: Dict[str, Tuple[int, int]] = {}
    for kind, count, size in rows:
        name = type_name(kind)
        before = found.get(name, (0, 0))
        found[name] = (before[0] + count, before[1] + size)
    return found


def growth(holders: bool = False) -> Rows:
    """What has more objects than at the last call, most new bytes first: rows of type, objects,
    objects_delta, bytes, bytes_delta. The first call has nothing to compare with: no rows.

    holders  also say where: `.holders` of the result. This takes a snapshot each time and keeps the last
             one, some 50 bytes an object; without it types are counted, at some 20 million objects a second

    >>> heapwhy.growth()
    (none)
    >>> handle_requests()
    >>> heapwhy.growth()
    """
    if holders:
        return _growth_of_snapshots()
    global _counted
    now = _counts()
    before, _counted = _counted, now  # not earlier: what this frame holds is counted
    rows = [GrowthRow({"type": name, "objects": count, "objects_delta": count - before.get(name, (0, 0))[0],
                       "bytes": size, "bytes_delta": size - before.get(name, (0, 0))[1]}, None)
            for name, (count, size) in now.items() if before and count > before.get(name, (0, 0))[0]]
    rows.sort(key=lambda row: (-row.bytes_delta, -row.objects_delta))
    return Grown(rows)


def _growth_of_snapshots() -> Rows:
    global _last
    before, _last = _last, snapshot()
    if before is None:
        return Grown([])
    try:
        return _last.diff(before)
    finally:
        before.close()


class Watching:
    """Snapshots of a block of code: at its start, at points, at an interval, and at its end.

    `snapshots`  those kept, in order of time. At most `keep`; then every second one between the first and the
                 last goes, and the interval doubles
    """

    def __init__(self, interval: Optional[float], keep: int, options: Dict[str, Any]):
        if arguments.whole("keep", keep) < 3:
            raise _heapwhy.UsageError("keep must be 3 or more: without a snapshot in between nothing can be told")
        self.snapshots: List[Snapshot] = []
        self.points: List[Tuple[str, Snapshot]] = []
        self.error: Optional[BaseException] = None
        self._interval = None if interval is None else arguments.seconds("interval", interval)
        self._keep = keep
        self._options = options
        self._lock, self._pid = threading.Lock(), os.getpid()
        self._done = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def __enter__(self) -> "Watching":
        self.point("start")
        if self._interval:
            self._thread = threading.Thread(target=self._run, name="heapwhy-watching", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._done.set()
        if self._thread:
            self._thread.join()
            self._thread = None
        if error[0] is None:
            self.point("end")

    def __repr__(self) -> str:
        names = "".join(", %s" % name for name, _ in self.points)
        return "<heapwhy.Watching: %s%s%s>" % (
            arguments.counted(len(self.snapshots), "snapshot"), names and " (%s)" % names[2:],
            ", every %g s" % self._interval if self._thread else "")

    def _run(self) -> None:
        while not self._done.wait(self._interval):
            try:
                self.point()
            except Exception as error:  # of the last point in time the program hears at the end
                self.error = error
                return

    def point(self, name: str = "") -> Snapshot:
        """Takes a snapshot now. name: for `points`, a list of (name, snapshot)."""
        if self._pid != os.getpid():  # in a fork the thread that perhaps had the lock does not run
            self._lock, self._pid = threading.Lock(), os.getpid()
        with self._lock:
            taken = snapshot(**self._options)
            self.snapshots.append(taken)
            if name:
                self.points.append((name, taken))
            elif len(self.snapshots) > self._keep:
                self._thin_out()
            return taken

    def _thin_out(self) -> None:
        named = [taken for _, taken in self.points]
        kept = []
        for number, taken in enumerate(self.snapshots):
            if number % 2 == 0 or number == len(self.snapshots) - 1 or any(taken is one for one in named):
                kept.append(taken)
            else:
                taken.close()
        self.snapshots = kept
        self._interval = self._interval and 2 * self._interval

    def _compared(self, question: str) -> Any:
        if len(self.snapshots) < 2:
            raise _heapwhy.UsageError("two snapshots are needed: ask after the block, or take points in it")
        return getattr(self.snapshots[-1], question)(*self.snapshots[:-1])

    def diff(self) -> Growth:
        """Snapshot.diff() of all."""
        return self._compared("diff")

    def growth(self) -> Rows:
        """The types that have more objects at the end than at the start, most new bytes first."""
        return Grown([row for row in self.diff() if row.objects_delta > 0])

    def diagnose(self) -> Answer:
        """Snapshot.diagnose() of all."""
        return self._compared("diagnose")

    def memory(self) -> Answer:
        """Snapshot.memory() of all."""
        return self._compared("memory")

    def close(self) -> None:
        """Gives all snapshots back."""
        for taken in self.snapshots:
            taken.close()
        del self.snapshots[:], self.points[:]


def watching(interval: Optional[float] = None, *, keep: int = 12, pid: int = 0, own: bool = False,
             values: bool = True, copy: bool = True) -> Watching:
    """For a `with` block: snapshots at its start and end, at w.point("name"), and at an interval.

    interval  seconds between snapshots that another thread takes; None: none
    keep      the most to keep, 3 or more; each takes some 50 bytes an object
    others    as of snapshot()

    Errors: TypeError, UsageError for what they can't be; snapshot()'s, at the start and the end of the block.

    >>> with heapwhy.watching() as w:
    ...     work()
    ...     w.point("half")
    ...     work()
    >>> w.diff(); w.diagnose(); w.growth()
    """
    return Watching(interval, keep, {"pid": arguments.process(pid), "own": own, "values": values, "copy": copy})
