# SPDX-License-Identifier: Apache-2.0
"""What a ClassTracker found, as text, as a file, as HTML."""
import copy
import html
import os
import pickle
import sys
from typing import IO, TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Tuple, Union

from heapwhy.compat.pympler.asizeof import Asized
from heapwhy.compat.pympler.util.stringutils import pp, pp_timestamp, trunc

if TYPE_CHECKING:
    from heapwhy.compat.pympler.classtracker import ClassTracker, Snapshot, TrackedObject

__all__ = ["ConsoleStats", "HtmlStats", "Stats"]

_CRITERIA = ("classname", "tsize", "birth", "death", "name", "repr", "size")
_LEAST_PERCENT = 0.1  # a referent smaller than that is not shown
_CHART_PERCENT = 3.0  # nor a class in a chart


def _ref2key(ref: Asized) -> str:
    """A referent's name without its value."""
    return str(ref.name).split(":")[0]


def _merge_asized(base: Asized, other: Asized, level: int = 0) -> None:
    """Adds other to base, referents of the same name together."""
    base.size += other.size
    base.flat += other.flat
    if level:
        base.name = _ref2key(base)
    refs = list(base.refs)
    by_key = {_ref2key(ref): ref for ref in refs}
    for ref in other.refs:
        key = _ref2key(ref)
        if key in by_key:
            _merge_asized(by_key[key], ref, level + 1)
        else:
            refs.append(copy.deepcopy(ref))
            refs[-1].name = key
    base.refs = refs


def _merge_objects(tref: float, merged: Asized, obj: "TrackedObject") -> None:
    """Adds the size that an object had at a time."""
    sizes = [size for timestamp, size in obj.snapshots if timestamp == tref]
    if sizes:
        _merge_asized(merged, sizes[-1])


def _format_trace(trace: List[Tuple]) -> str:
    """A stack as text: each line of code with its place below it."""
    lines = []
    for filename, line, function, source, *_ in trace:
        lines += ["    %s\n" % text.strip() for text in source or ()]
        lines.append("  %s:%4d in %s\n" % (filename, line, function))
    return "".join(lines)


class Stats:
    """The objects and snapshots of a tracker, or of a file that dump_stats() wrote."""

    def __init__(self, tracker: "Optional[ClassTracker]" = None, filename: Optional[str] = None,
                 stream: Optional[IO[str]] = None):
        self.stream = stream or sys.stdout
        self.tracker = tracker
        self.index: Dict[str, List[TrackedObject]] = tracker.index if tracker else {}
        self.snapshots: List[Snapshot] = tracker.snapshots if tracker else []
        if tracker:
            self.history = tracker.history
        self.sorted: List[TrackedObject] = []
        if filename:
            self.load_stats(filename)

    def load_stats(self, fdump: Union[str, IO[bytes]]) -> None:
        """Reads a file, given by its name or open. It is a pickle: read only files that you trust."""
        if isinstance(fdump, str):
            with open(fdump, "rb") as file:
                return self.load_stats(file)
        self.index = pickle.load(fdump)
        self.snapshots = pickle.load(fdump)
        self.sorted = []

    def dump_stats(self, fdump: Union[str, IO[bytes]], close: bool = True) -> None:
        """Writes a file, given by its name or open (and closed then, unless close is False)."""
        if self.tracker:
            self.tracker.stop_periodic_snapshots()
        file = open(fdump, "wb") if isinstance(fdump, str) else fdump
        pickle.dump(self.index, file, protocol=pickle.HIGHEST_PROTOCOL)
        pickle.dump(self.snapshots, file, protocol=pickle.HIGHEST_PROTOCOL)
        if close:
            file.close()

    def _init_sort(self) -> None:
        if self.sorted:
            return
        largest = max(self.snapshots, key=lambda snapshot: snapshot.tracked_total, default=None)
        time_of_largest = largest.timestamp if largest and largest.tracked_total else None
        for classname, objects in self.index.items():
            for obj in objects:
                obj.classname = classname
                obj.size = obj.get_max_size()
                obj.tsize = obj.get_size_at_time(time_of_largest)
            self.sorted.extend(objects)

    def sort_stats(self, *args: str) -> "Stats":
        """Sorts objects by some of classname, name, birth, death, repr, size (largest ever), tsize (in the largest
        snapshot); sizes from the largest down. Returns itself. Raises ValueError for others."""
        if not set(_CRITERIA).issuperset(args):
            raise ValueError("Invalid sort criteria")

        def key(obj: "TrackedObject") -> Tuple[Any, ...]:
            values = [getattr(obj, name, "") for name in args or _CRITERIA]
            names = zip(args or _CRITERIA, values)
            # Dead objects have a time of death, others None: these come last.
            return tuple(-int(value) if name in ("size", "tsize") else
                         (value is None, value or 0) if name == "death" else value for name, value in names)

        self._init_sort()
        self.sorted.sort(key=key)
        return self

    def reverse_order(self) -> "Stats":
        """Turns the order around. Returns itself."""
        self._init_sort()
        self.sorted.reverse()
        return self

    def annotate(self) -> None:
        """Adds up every snapshot by class."""
        for snapshot in self.snapshots:
            self.annotate_snapshot(snapshot)

    def annotate_snapshot(self, snapshot: "Snapshot") -> Dict[str, Dict[str, Any]]:
        """{classname: {sum, avg, pct, active, merged}} of a snapshot, which keeps it as `classes`."""
        if snapshot.classes is None:
            snapshot.classes = {name: self._class_at(objects, snapshot) for name, objects in self.index.items()}
        return snapshot.classes

    def _class_at(self, objects: List["TrackedObject"], snapshot: "Snapshot") -> Dict[str, Any]:
        at, merged = snapshot.timestamp, Asized(0, 0)
        for obj in objects:
            _merge_objects(at, merged, obj)
        total = sum(obj.get_size_at_time(at) for obj in objects)
        active = sum(obj.birth < at and (obj.death is None or obj.death > at) for obj in objects)
        return {"sum": total, "avg": total / active if active else 0, "active": active, "merged": merged,
                "pct": total * 100.0 / snapshot.total if snapshot.total else 0}

    @property
    def tracked_classes(self) -> List[str]:
        """The names of all classes that have objects."""
        return sorted(self.index)


def _large_refs(refs: Iterable[Asized], total: int, minsize: int, minpct: float) -> List[Asized]:
    """The referents worth showing, the largest first."""
    large = [ref for ref in refs if ref.size > minsize and ref.size * 100.0 / total > minpct]
    return sorted(large, key=lambda ref: ref.size)[::-1]


class ConsoleStats(Stats):
    """Prints."""

    def _print_refs(self, refs: Iterable[Asized], total: int, prefix: str = "    ", level: int = 1, minsize: int = 0,
                    minpct: float = _LEAST_PERCENT) -> None:
        for ref in _large_refs(refs, total, minsize, minpct):
            self.stream.write("%-50s %-14s %3d%% [%d]\n" % (
                trunc(prefix + str(ref.name), 50), pp(ref.size), int(ref.size * 100.0 / total), level))
            self._print_refs(ref.refs, total, prefix + "  ", level + 1)

    def print_object(self, tobj: "TrackedObject") -> None:
        """Prints an object's life."""
        name, text = trunc(tobj.name, 32, left=True), trunc(tobj.repr, 35)
        if tobj.death:
            self.stream.write("%-32s ( free )   %-35s\n" % (name, text))
        else:
            self.stream.write("%-32s 0x%08x %-35s\n" % (name, tobj.id, text))
        if tobj.trace:
            self.stream.write(_format_trace(tobj.trace))
        for timestamp, size in tobj.snapshots:
            self.stream.write("  %-30s %s\n" % (pp_timestamp(timestamp), pp(size.size)))
            self._print_refs(size.refs, size.size)
        if tobj.death is not None:
            self.stream.write("  %-30s finalize\n" % pp_timestamp(tobj.death))

    def print_stats(self, clsname: Optional[str] = None, limit: float = 1.0) -> None:
        """Prints objects, as sorted. clsname: those whose class has this in its name; limit: below 1 that part of
        all objects, else so many."""
        if self.tracker:
            self.tracker.stop_periodic_snapshots()
        if not self.sorted:
            self.sort_stats()
        if limit < 1.0:
            limit = max(1, int(len(self.sorted) * limit))
        chosen = [obj for obj in self.sorted if not clsname or clsname in obj.classname]
        for obj in chosen[:int(limit)]:
            self.print_object(obj)

    def print_summary(self) -> None:
        """Prints each snapshot, a line for each class."""
        out = self.stream
        out.write("---- SUMMARY " + "-" * 66 + "\n")
        for snapshot in self.snapshots:
            classes = self.annotate_snapshot(snapshot)
            out.write("%-35s %11s %12s %12s %5s\n" % (
                trunc(snapshot.desc, 35), "active", pp(snapshot.asizeof_total), "average", "pct"))
            for name in self.tracked_classes:
                info = classes[name]
                out.write("  %-33s %11d %12s %12s %4d%%\n" % (
                    trunc(name, 33), info["active"], pp(info["sum"]), pp(info["avg"]), info["pct"]))
        out.write("-" * 79 + "\n")


_STYLE = """<style>
body { font-family: sans-serif; margin: 2em; max-width: 70em; }
table { border-collapse: collapse; margin: 1em 0; }
td, th { border: 1px solid #ccc; padding: 2px 8px; text-align: left; vertical-align: top; }
td.num { text-align: right; }
th { background: #eee; }
</style>
"""


def _row(*cells: Any) -> str:
    return "<tr>%s</tr>\n" % "".join("<td%s>%s</td>" % (' class="num"' if i else "", cell) for i, cell in enumerate(cells))


def _escape(value: Any) -> str:
    return html.escape(str(value))


class HtmlStats(Stats):
    """Writes pages: one of snapshots, and one for each class. With matplotlib they have charts."""

    def create_html(self, fname: str, title: str = "ClassTracker Statistics") -> None:
        """Writes the page fname, and a folder of further ones named after it."""
        self.basedir = os.path.dirname(os.path.abspath(fname))
        self.filesdir = os.path.abspath(os.path.splitext(fname)[0] + "_files")
        os.makedirs(self.filesdir, exist_ok=True)
        self.annotate()
        self.links = {name: os.path.join(self.filesdir, name.replace(".", "_") + ".html") for name in self.index}
        for name, path in self.links.items():
            self.print_class_details(path, name)
        self.create_title_page(fname, title=title)

    def relative_path(self, filepath: str, basepath: Optional[str] = None) -> str:
        """The path of a file as seen from the page."""
        base = self.basedir if basepath is None else basepath
        return os.path.relpath(filepath, base) if base and filepath.startswith(base) else filepath

    def create_title_page(self, filename: str, title: str = "") -> None:
        """Writes the page of all snapshots."""
        with open(filename, "w") as page:
            page.write("<html><head><title>%s</title>%s</head><body>\n" % (_escape(title), _STYLE))
            page.write("<h1>%s</h1>\n<h2>Memory distribution over time</h2>\n" % _escape(title))
            page.write(self.create_snapshot_chart(os.path.join(self.filesdir, "timespace.png")))
            page.write("<h2>Snapshots statistics</h2>\n")
            for i, snapshot in enumerate(self.snapshots):
                self._print_snapshot(page, snapshot, os.path.join(self.filesdir, "fp%d.png" % i))
            page.write("</body></html>\n")

    def _print_snapshot(self, page: IO[str], snapshot: "Snapshot", chart: str) -> None:
        page.write("<h3>%s snapshot at %s</h3>\n" % (_escape(snapshot.desc or "Untitled"), pp_timestamp(snapshot.timestamp)))
        page.write("<p>Process: %s. Tracker: %s. Tracked objects: %s. All objects: %s.</p>\n" % (
            pp(snapshot.system_total.vsz), pp(snapshot.overhead), pp(snapshot.tracked_total), pp(snapshot.asizeof_total)))
        if not snapshot.tracked_total:
            return
        page.write("<table><tr><th>Class</th><th>Instance #</th><th>Total</th><th>Average size</th><th>Share</th></tr>\n")
        for name in self.tracked_classes:
            info = self.annotate_snapshot(snapshot)[name]
            link = '<a href="%s">%s</a>' % (self.relative_path(self.links[name]), _escape(name))
            page.write(_row(link, info["active"], pp(info["sum"]), pp(info["avg"]), "%3.2f%%" % info["pct"]))
        page.write("</table>\n" + self.create_pie_chart(snapshot, chart))

    def print_class_details(self, fname: str, classname: str) -> None:
        """Writes the page of a class and its instances."""
        objects = self.index[classname]
        sizes = [obj.get_max_size() for obj in objects] or [0]
        with open(fname, "w") as page:
            page.write("<html><head><title>%s</title>%s</head><body>\n" % (_escape(classname), _STYLE))
            page.write("<h1>%s</h1>\n<p>%d instances; average %s, smallest %s, largest %s.</p>\n" % (
                _escape(classname), len(objects), pp(sum(sizes) / len(sizes)), pp(min(sizes)), pp(max(sizes))))
            page.write(self.create_lifetime_chart(classname, os.path.splitext(fname)[0] + "-lt.png"))
            page.write("<h2>Coalesced Referents per Snapshot</h2>\n")
            for snapshot in self.snapshots:
                merged = self.annotate_snapshot(snapshot)[classname]["merged"]
                page.write("<h3>Snapshot: %s, %s</h3>\n" % (_escape(snapshot.desc), pp(merged.size)))
                self._print_refs(page, merged)
            page.write("<h2>Instances</h2>\n")
            for obj in objects:
                self._print_instance(page, obj)
            page.write("</body></html>\n")

    def _print_refs(self, page: IO[str], size: Asized) -> None:
        if not size.refs:
            page.write("<p>No per-referent sizes recorded.</p>\n")
            return
        page.write("<table>\n")
        todo = [(ref, 0) for ref in reversed(_large_refs(size.refs, size.size, 0, _LEAST_PERCENT))]
        while todo:
            ref, level = todo.pop()
            name = "&nbsp;" * 4 * level + _escape(trunc(ref.name, 128))
            page.write(_row(name, pp(ref.size), "%3.1f%%" % (ref.size * 100.0 / size.size)))
            todo += [(below, level + 1) for below in reversed(_large_refs(ref.refs, size.size, 0, _LEAST_PERCENT))]
        page.write("</table>\n")

    def _print_instance(self, page: IO[str], obj: "TrackedObject") -> None:
        page.write("<table>\n<tr><th>Instance</th><th>%s at 0x%08x</th></tr>\n" % (_escape(obj.name), obj.id))
        if obj.repr:
            page.write(_row("Representation", _escape(obj.repr)))
        page.write(_row("Lifetime", "%s - %s" % (pp_timestamp(obj.birth), pp_timestamp(obj.death))))
        if obj.trace:
            page.write(_row("Instantiation", "<pre>%s</pre>" % _escape(_format_trace(obj.trace))))
        for timestamp, size in obj.snapshots:
            page.write(_row(pp_timestamp(timestamp), pp(size.size)))
        page.write("</table>\n")

    # Charts. Without matplotlib there is a note instead.

    nopylab_msg = "<div>Could not generate %s chart! Install matplotlib to generate charts.</div>\n"

    def create_snapshot_chart(self, filename: str = "") -> str:
        """Draws memory over time into a file. Returns the HTML that shows it."""
        from heapwhy.compat.pympler import charts
        if not charts.tracker_timespace(filename, self):
            return self.nopylab_msg % "memory allocation"
        return '<img src="%s">\n' % self.relative_path(filename)

    def create_lifetime_chart(self, classname: str, filename: str = "") -> str:
        """Draws how many instances there were. Returns the HTML that shows it."""
        from heapwhy.compat.pympler import charts
        if not charts.lifetime(filename, classname, self.index[classname]):
            return self.nopylab_msg % (_escape(classname) + " lifetime")
        return '<img src="%s">\n' % os.path.basename(filename)

    def create_pie_chart(self, snapshot: "Snapshot", filename: str = "") -> str:
        """Draws how the memory of a snapshot is divided. Returns the HTML that shows it."""
        from heapwhy.compat.pympler import charts
        if not snapshot.tracked_total or snapshot.classes is None:
            return ""
        parts = {name: info["sum"] for name, info in snapshot.classes.items() if info["pct"] > _CHART_PERCENT}
        parts["Other"] = max(snapshot.asizeof_total, snapshot.tracked_total) - sum(parts.values())
        if not charts.pie(filename, "Snapshot (%s) Memory Distribution" % snapshot.desc, parts):
            return self.nopylab_msg % "pie_chart"
        return '<img src="%s">\n' % self.relative_path(filename)
