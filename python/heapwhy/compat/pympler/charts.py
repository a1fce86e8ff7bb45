# SPDX-License-Identifier: Apache-2.0
"""Charts of class statistics, by matplotlib. Each function writes a file; False: there is no matplotlib."""
from typing import Any, Dict, List

_MIB = 1024.0 * 1024.0


def _figure(width: float, height: float) -> Any:
    """A figure that needs no display, or None."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    return Figure(figsize=(width, height))


def tracker_timespace(filename: str, stats: Any) -> bool:
    """Memory of tracked classes, one on the other, over time."""
    figure = _figure(10, 4)
    if figure is None:
        return False
    stats.annotate()
    times = [snapshot.timestamp for snapshot in stats.snapshots]
    axes = figure.add_subplot()
    axes.set(title="Snapshot Memory", xlabel="Execution Time [s]", ylabel="Memory [MiB]")
    names = [name for name in stats.tracked_classes if any(s.classes[name]["pct"] > 3.0 for s in stats.snapshots)]
    if names:
        axes.stackplot(times, [[s.classes[name]["sum"] / _MIB for s in stats.snapshots] for name in names], labels=names)
    axes.plot(times, [s.asizeof_total / _MIB for s in stats.snapshots], "r--", label="Total")
    axes.plot(times, [s.tracked_total / _MIB for s in stats.snapshots], "b--", label="Tracked total")
    axes.legend(loc=2)
    figure.savefig(filename)
    return True


def lifetime(filename: str, classname: str, objects: List[Any]) -> bool:
    """How many instances were alive, over time."""
    figure = _figure(8, 4)
    if figure is None:
        return False
    changes = sorted([(o.birth, 1) for o in objects] + [(o.death, -1) for o in objects if o.death])
    counts, alive = [], 0
    for _, step in changes:
        alive += step
        counts.append(alive)
    axes = figure.add_subplot()
    axes.set(title="%s instances" % classname, xlabel="Execution time [s]", ylabel="Instance #")
    axes.step([at for at, _ in changes], counts, where="post")
    figure.savefig(filename)
    return True


def pie(filename: str, title: str, parts: Dict[str, float]) -> bool:
    """Parts of a whole."""
    figure = _figure(8, 8)
    if figure is None:
        return False
    axes = figure.add_subplot()
    axes.set_title(title)
    shown = {name: size for name, size in parts.items() if size > 0}
    axes.pie(list(shown.values()), labels=list(shown))
    figure.savefig(filename, dpi=50)
    return True
