# SPDX-License-Identifier: Apache-2.0
"""The objects of chosen classes over time: when they are born and die, and how large they are.

ClassTracker takes snapshots; classtracker_stats tells what they show.
"""
import inspect
import threading
import time
import weakref
from collections import defaultdict
from functools import partial
from typing import IO, Any, Callable, Dict, List, Optional, Tuple

from heapwhy.compat.pympler import asizeof, process
from heapwhy.compat.pympler.classtracker_stats import ConsoleStats
from heapwhy.compat.pympler.util.stringutils import safe_repr

__all__ = ["ClassTracker"]

_start = time.time()
_OWN_FRAMES = 5  # between a constructor's caller and the line that looks at the stack


def _get_time() -> float:
    """Seconds since this module was imported."""
    return time.time() - _start


class _ClassObserver:
    """How instances of a class are tracked, and the class's own constructor."""

    __slots__ = ("init", "inherited", "name", "detail", "keep", "trace")

    def __init__(self, init: Callable[..., Any], inherited: bool, name: str, detail: int, keep: bool, trace: bool):
        self.init, self.inherited = init, inherited
        self.modify(name, detail, keep, trace)

    def modify(self, name: str, detail: int, keep: bool, trace: bool) -> None:
        self.name, self.detail, self.keep, self.trace = name, detail, keep, trace


class TrackedObject:
    """The life of an object, which is referred to weakly: birth and death (seconds, None: alive), its sizes
    in snapshots [(seconds, Asized), ...], trace: the stack where it was made."""

    __slots__ = ("ref", "id", "repr", "name", "birth", "death", "trace", "snapshots", "_resolution_level", "__dict__")

    def __init__(self, instance: Any, name: str, resolution_level: int = 0, trace: bool = False,
                 on_delete: Optional[Callable[[], Any]] = None):
        self.ref = weakref.ref(instance, self.finalize)
        self.id = id(instance)
        self.repr = ""
        self.name = name
        self.birth = _get_time()
        self.death: Optional[float] = None
        self.trace: Optional[List[Tuple]] = None
        self._resolution_level = resolution_level
        if trace:
            self._save_trace()
        size = asizeof.basicsize(instance) or 0
        self.snapshots = [(self.birth, asizeof.Asized(size, size))]
        self.on_delete = on_delete

    def __getstate__(self) -> Dict[str, Any]:
        """All that a file can hold: not the reference, nor what is found out again."""
        names = [name for name in self.__slots__ if name not in ("ref", "__dict__")]
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def _save_trace(self) -> None:
        frames = inspect.stack()
        self.trace = [tuple(frame)[1:] for frame in reversed(frames[_OWN_FRAMES:])]
        del frames

    def track_size(self, ts: float, sizer: asizeof.Asizer) -> None:
        """Adds a size, 0 for a dead object."""
        obj = self.ref()
        self.snapshots.append((ts, sizer.asized(obj, detail=self._resolution_level)))
        if obj is not None:
            self.repr = safe_repr(obj, clip=128)

    def get_max_size(self) -> int:
        """The largest of all sizes."""
        return max(size.size for _, size in self.snapshots)

    def get_size_at_time(self, timestamp: Optional[float]) -> int:
        """The size in one snapshot; 0 if it is not in it."""
        return next((size.size for ts, size in reversed(self.snapshots) if ts == timestamp), 0)

    def set_resolution_level(self, resolution_level: int) -> None:
        """How deep the next snapshots tell referents one by one."""
        self._resolution_level = resolution_level

    def finalize(self, ref: Any) -> None:
        """The object has died. At the end of the interpreter there may be no clock any more."""
        try:
            self.death = _get_time()
            if self.on_delete:
                self.on_delete()
        except Exception:
            pass


def _count_on(series: List[Tuple[float, int]], step: int) -> None:
    """Adds a point to a series of how many instances there are."""
    series.append((_get_time(), (series[-1][1] if series else 0) + step))


class PeriodicThread(threading.Thread):
    """Takes a snapshot every `interval` seconds until `stop` is set."""

    def __init__(self, tracker: "ClassTracker", interval: float, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.interval, self.tracker = interval, tracker
        self.stop = False

    def run(self) -> None:
        while not self.stop:
            self.tracker.create_snapshot()
            time.sleep(self.interval)


class Snapshot:
    """Bytes at a moment: tracked_total, of tracked objects; asizeof_total, of all, if that was asked for;
    overhead, of the tracker; system_total, of the process."""

    def __init__(self, timestamp: float, description: str = ""):
        self.timestamp, self.desc = timestamp, description
        self.tracked_total = self.asizeof_total = self.overhead = 0
        self.system_total = process.ProcessMemoryInfo()
        self.classes: Optional[Dict[str, Dict[str, Any]]] = None

    @property
    def total(self) -> int:
        """Bytes of the process, or the best that is known instead."""
        if self.system_total.available:
            return self.system_total.vsz
        return self.asizeof_total or self.tracked_total

    @property
    def label(self) -> str:
        """The description and the time."""
        return "%s (%.3fs)" % (self.desc, self.timestamp) if self.desc else "%.3fs" % self.timestamp


class ClassTracker:
    """Tracks objects, or all new instances of classes, without keeping them alive.

    stream: where `stats` prints. index: {name: [TrackedObject, ...]}; objects: {id: TrackedObject}; history:
    {name: [(seconds, instances), ...]}; snapshots.

    >>> tracker = ClassTracker()
    >>> tracker.track_class(Document)
    >>> tracker.create_snapshot("begin")
    >>> tracker.stats.print_summary()
    """

    snapshot_lock = threading.Lock()

    def __init__(self, stream: Optional[IO[str]] = None):
        self.index: Dict[str, List[TrackedObject]] = defaultdict(list)
        self.objects: Dict[int, TrackedObject] = {}
        self.snapshots: List[Snapshot] = []
        self.history: Dict[str, List[Tuple[float, int]]] = defaultdict(list)
        self._keepalive: List[Any] = []
        self._observers: Dict[type, _ClassObserver] = {}
        self._periodic_thread: Optional[PeriodicThread] = None
        self._stream = stream

    @property
    def stats(self) -> ConsoleStats:
        """What was found so far."""
        return ConsoleStats(tracker=self, stream=self._stream)

    def _tracker(self, _observer_: _ClassObserver, _self_: Any, *args: Any, **kwds: Any) -> None:
        """What runs instead of a constructor. Tracks before it calls that: of classes that are both tracked,
        the one that is instantiated counts."""
        self.track_object(_self_, name=_observer_.name, resolution_level=_observer_.detail, keep=_observer_.keep,
                          trace=_observer_.trace)
        _observer_.init(_self_, *args, **kwds)

    def _inject_constructor(self, cls: type, func: Callable[..., Any], name: str, resolution_level: int,
                            keep: bool, trace: bool) -> None:
        inherited = "__init__" not in cls.__dict__
        observer = _ClassObserver(cls.__init__, inherited, name, resolution_level, keep, trace)
        self._observers[cls] = observer

        def new_constructor(*args: Any, **kwargs: Any) -> None:
            return func(observer, *args, **kwargs)

        cls.__init__ = new_constructor

    def _restore_constructor(self, cls: type) -> None:
        observer = self._observers.pop(cls)
        if observer.inherited:
            del cls.__init__
        else:
            cls.__init__ = observer.init

    def track_change(self, instance: Any, resolution_level: int = 0) -> None:
        """Changes how deep a tracked object is told. Raises KeyError if it is not tracked."""
        self.objects[id(instance)].set_resolution_level(resolution_level)

    def track_object(self, instance: Any, name: Optional[str] = None, resolution_level: int = 0,
                     keep: bool = False, trace: bool = False) -> None:
        """Tracks an object. Raises TypeError if there are no weak references to its kind.

        name: of the group it is shown in, instead of its class; resolution_level: levels of referents that are
        told one by one; keep: keep it alive; trace: remember the stack.
        """
        known = self.objects.get(id(instance))
        if known is not None and known.ref() is not None:
            return
        name = name or instance.__class__.__name__
        series = self.history[name]
        tracked = TrackedObject(instance, name, resolution_level=resolution_level, trace=trace,
                                on_delete=partial(_count_on, series, -1))
        _count_on(series, 1)
        self.index[name].append(tracked)
        self.objects[id(instance)] = tracked
        if keep:
            self._keepalive.append(instance)

    def track_class(self, cls: type, name: Optional[str] = None, resolution_level: int = 0, keep: bool = False,
                    trace: bool = False) -> None:
        """Tracks all instances of a class that are made from now on; or changes how. Options as track_object().

        The class gets another constructor; close() takes it away. Raises TypeError for what is no class.
        """
        if not inspect.isclass(cls):
            raise TypeError("only class objects can be tracked")
        name = cls.__module__ + "." + cls.__name__ if name is None else name
        if cls in self._observers:
            self._observers[cls].modify(name, resolution_level, keep, trace)
        else:
            self._inject_constructor(cls, self._tracker, name, resolution_level, keep, trace)

    def detach_class(self, cls: type) -> None:
        """New instances of a class are not tracked any more. Raises KeyError if they were not."""
        self._restore_constructor(cls)

    def detach_all_classes(self) -> None:
        """New instances are not tracked any more."""
        for cls in list(self._observers):
            self.detach_class(cls)

    def detach_all(self) -> None:
        """Nothing is tracked any more."""
        self.detach_all_classes()
        self.objects.clear()
        self.index.clear()
        self._keepalive.clear()

    def clear(self) -> None:
        """Tracks nothing any more, and forgets what was found."""
        self.detach_all()
        self.snapshots.clear()

    def close(self) -> None:
        """Gives classes their constructors back. For contextlib.closing()."""
        self.detach_all_classes()

    def start_periodic_snapshots(self, interval: float = 1.0) -> None:
        """Takes a snapshot every `interval` seconds, in a thread; or changes the interval."""
        if self._periodic_thread:
            self._periodic_thread.interval = interval
            return
        self._periodic_thread = PeriodicThread(self, interval, name="BackgroundMonitor", daemon=True)
        self._periodic_thread.start()

    def stop_periodic_snapshots(self) -> None:
        """Ends the thread, and waits until it has ended."""
        if self._periodic_thread and self._periodic_thread.is_alive():
            self._periodic_thread.stop = True
            self._periodic_thread.join()
            self._periodic_thread = None

    def create_snapshot(self, description: str = "", compute_total: bool = False) -> None:
        """Sizes all tracked objects. compute_total: and all objects that there are.

        What several tracked objects lead to counts with the oldest of them.
        """
        with self.snapshot_lock:
            timestamp = _get_time()
            sizer = asizeof.Asizer()
            tracked = sorted(self.objects.values(), key=lambda item: item.birth)
            sizer.exclude_refs(*[item.ref() for item in tracked])
            for item in tracked:
                item.track_size(timestamp, sizer)
            snapshot = Snapshot(timestamp, str(description))
            snapshot.tracked_total = sizer.total
            if compute_total:
                snapshot.asizeof_total = asizeof.asizeof(all=True, code=True)
            if snapshot.tracked_total:
                snapshot.overhead = sizer.asizeof(self)
                if snapshot.asizeof_total:
                    snapshot.asizeof_total -= snapshot.overhead
            self.snapshots.append(snapshot)
