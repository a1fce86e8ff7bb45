# SPDX-License-Identifier: Apache-2.0
"""Snapshots of a process's objects, and what can be asked of them.

A snapshot is a copy of the whole object graph, without the objects: it keeps nothing of the program alive.
A million objects take about 50 MB. While it is taken the program stands still for as long as the system needs
to copy the tables of its memory (20 to 25 ms for each gigabyte); reading the copy takes a second for some
five million objects, and other threads run on meanwhile.
"""
import datetime
import os
from typing import Any, Callable, Iterable, Optional, Tuple, TypeVar, Union

from heapwhy import _heapwhy, arguments
from heapwhy.naming import type_name
from heapwhy.records import Answer, Chains, Growth, Moment, Objects, Record

Path = Union[str, "os.PathLike[str]"]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _number(name: str, value: Any, least: int = 0) -> int:
    """How many, or how far: as much as an int of C holds."""
    return min(arguments.whole(name, value, least), (1 << 31) - 1)


class Facts(Record):
    """The moment of a snapshot.

    pid, python, executable, script
    at              datetime, UTC
    pause_ns        how long the process stood still; of another process, and of this one
    capture_ns      from the beginning to the finished graph
    freeze          "copy": a copy of the process was read; "stop": it was read while it stood still
    objects, references, bytes, rss_bytes
    retries, collector_running: it was taken in the middle of a collection; counts may be a little short
    """
    __slots__ = ()


class Snapshot(_heapwhy.Graph):
    """The objects of a process at one moment. Made by heapwhy.snapshot() and heapwhy.open().

    Its memory is given back by close(), at the end of a `with` block, or with the last reference to it and
    to its answers.

    OBJECT, where a method takes one: a live object of this process; an address (int); an expression as the
    program takes it (str), "sys.modules['app'].cache", or the name of a type; or a record that has an
    address. To ask about a live int or str, give its id(). Where None is the default it means all objects; the
    object None has id(None).

    Errors: NotFoundError, when the snapshot has no such object; UsageError, when it was closed, for an empty
    expression and for a number that is no address; TypeError, for another snapshot that is none.
    """
    __slots__ = ()

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if self.closed:
            return "<heapwhy.Snapshot, closed>"
        facts = self.facts
        return "<heapwhy.Snapshot of process %d, %s, %s objects, %s bytes, paused %.1f ms>" % (
            facts.pid, facts.at.strftime("%H:%M:%S"), format(facts.objects, ","), format(facts.bytes, ","),
            facts.pause_ns / 1e6)

    @property
    def facts(self) -> Facts:
        """What is known of the moment."""
        facts = self._facts
        version = facts.pop("python_version")
        facts["python"] = "%d.%d.%d" % (version >> 24, version >> 16 & 255, version >> 8 & 255)
        facts["at"] = datetime.datetime.fromtimestamp(facts["taken_at_ns"] / 1e9, datetime.timezone.utc)
        return Facts(facts, None)

    # ---- asking ----

    def _moment(self) -> Moment:
        facts = self._facts
        return Moment(facts["pid"], facts["start_time"])

    def _word(self, what: Any) -> str:
        kind = type(what)  # a class that pretends to be another must not answer for itself
        if issubclass(kind, str):
            return what
        if issubclass(kind, Record):
            address = what.to_dict().get("addr") or what.to_dict().get("example")
            if not address:
                raise TypeError("%s has no address" % arguments.kind_of(what))
            return address
        if issubclass(kind, int) and kind is not bool:
            return self._word_of_address(what)
        return self._word_of_live(what)

    @staticmethod
    def _word_of_address(number: int) -> str:
        if not 4096 <= number < 1 << 64:  # nothing is mapped in the first page
            raise _heapwhy.UsageError("%d is no address; to ask about a live int, give its id()" % number)
        return hex(number)

    def _word_of_live(self, what: Any) -> str:
        if not self._moment().is_ours():
            raise _heapwhy.UsageError("this snapshot is of another process, which has no such live object; "
                                      "give an expression or an address")
        word = hex(id(what))
        wanted = type_name(type(what))
        try:
            kind = _heapwhy.nodes(self, word)[0][1]
        except _heapwhy.NotFoundError:
            raise _heapwhy.NotFoundError("this %s is not in the snapshot: it was made later, or heapwhy alone "
                                         "held it" % wanted) from None
        if kind != wanted:
            raise _heapwhy.NotFoundError("this %s was made after the snapshot: there was %s at its place" % (
                wanted, arguments.with_article(kind)))
        return word

    def _ask(self, question: str, rows: str, kind: type = Answer, others: Tuple["Snapshot", ...] = (),
             **options: Any) -> Any:
        for other in others:
            if not issubclass(type(other), Snapshot):
                raise TypeError("a heapwhy.Snapshot is expected, not %s" % arguments.with_article(type_name(type(other))))
        graphs = sorted(others + (self,), key=lambda one: one._facts["taken_at_ns"])
        return kind(_heapwhy.ask(question, tuple(graphs), **options), rows, self._moment())

    # ---- of one moment ----

    def types(self) -> Answer:
        """Objects and bytes by type, most bytes first: rows of type, objects, bytes, native_bytes."""
        return self._ask("types", "types")

    def objects(self, what: Any) -> Objects:
        """All objects of a type (a class, or its name), or those that an expression fits.

        >>> s.objects("dict")[0].addr
        >>> sum(s.objects(Session).sizes)
        """
        word = type_name(what) if issubclass(type(what), type) else self._word(what)
        return Objects(_heapwhy.nodes(self, word), self._moment())

    def holders(self, what: Any, chains: int = 0, objects: int = 1) -> Chains:
        """Who keeps OBJECT alive: chains from a root to it, the most telling first.

        chains   the most for each object; 0: three
        objects  how many to tell about when an expression fits several
        """
        return self._ask("holders", "objects.chains", Chains, word=self._word(what),
                         links=_number("chains", chains), most=_number("objects", objects, 1))

    def referrers(self, what: Any, limit: int = 20) -> Answer:
        """What refers to OBJECT directly: rows of edge, type, addr, value."""
        return self._ask("show", "objects.referrers", word=self._word(what), links=_number("limit", limit))

    def referents(self, what: Any, limit: int = 20) -> Answer:
        """What OBJECT refers to: rows of edge, type, addr, value."""
        return self._ask("show", "objects.referents", word=self._word(what), links=_number("limit", limit))

    def retained(self, what: Any = None, objects: int = 1) -> Answer:
        """What would be freed without OBJECT; without one, or with None: the objects that retain most.

        Rows have path, type, addr, bytes, retained_bytes, retained_objects. Of all objects, `places` and
        `types` sum up, too; of one, its `types` and `owners` are fields of the row.
        """
        if what is None:
            return self._ask("retained", "largest")
        return self._ask("weighing", "objects", word=self._word(what), most=_number("objects", objects, 1))

    def tree(self, what: Any = None, depth: int = 4, branches: int = 0) -> Answer:
        """The tree of owners below OBJECT, or with None below all: branches in order, each with its depth.

        branches  the most below one; 0: eight, and none that retains less than one percent
        """
        word = None if what is None else self._word(what)
        return self._ask("tree", "branches", word=word, depth=_number("depth", depth),
                         links=_number("branches", branches))

    def paths(self, what: Any) -> Answer:
        """The paths to all objects of a type, merged: indices and keys read [*]. Most bytes first."""
        return self._ask("paths", "paths", word=type_name(what) if issubclass(type(what), type) else self._word(what))

    def owners(self, what: Any) -> Answer:
        """Who owns all objects of a type: the program's objects; libraries and containers are passed over."""
        return self._ask("owners", "owners", word=type_name(what) if issubclass(type(what), type) else self._word(what))

    def cycles(self) -> Answer:
        """What gc.collect() would free, and the cycles in it, by shape. Nothing is collected."""
        return self._ask("cycles", "cycles")

    def collector(self) -> Answer:
        """The state of the garbage collector: rows are its generations."""
        return self._ask("gc", "generations")

    # ---- of one moment, or against earlier ones ----

    def memory(self, *others: "Snapshot") -> Answer:
        """What every resident byte is used for; with other snapshots, what grew."""
        return self._ask("memory", "parts", others=others)

    def audit(self, *others: "Snapshot") -> Answer:
        """References that nothing accounts for: a missing decref in C code. With others: what grows."""
        return self._ask("audit", "types", others=others)

    def resources(self, *others: "Snapshot") -> Answer:
        """Descriptors and their owners; also `threads`, `tasks`, `children`. With others: growth of each."""
        return self._ask("resources", "growth" if others else "descriptors", others=others)

    def sites(self, *others: "Snapshot", by: str = "line") -> Answer:
        """Where what is in use was allocated, as tracemalloc wrote it down: rows of file, line, blocks, bytes, type.

        by      "line", "filename" or "traceback": then rows have `callers`, too
        others  earlier snapshots, also of other processes: rows have blocks_delta and bytes_delta, those that
                changed most first

        UnsupportedError: the process did not run tracemalloc.

        >>> s.sites()[0].file, s.sites()[0].line
        ('/srv/app.py', 88)
        """
        return self._ask("sites", "sites", others=others, word=by)

    def diff(self, *others: "Snapshot") -> Growth:
        """Growth by type, and by place in `holders`, between snapshots of one process, in order of time."""
        return self._ask("diff", "types", Growth, others=others)

    def diagnose(self, *others: "Snapshot") -> Answer:
        """Does it leak, what, who holds it, what to do: rows are suspects; `verdict`, `answer`, `doubts`.

        One snapshot tells where memory gathers; three or more tell a leak from a cache that fills.
        """
        return self._ask("diagnose", "suspects", others=others)


def _file_of(path: Any) -> Path:
    """What to write to. A word alone is rather a process or a type that somebody wants to see."""
    if issubclass(type(path), int):
        raise TypeError("snapshot(%d) would write a file: the first argument is its name; for process %d: "
                        "heapwhy.snapshot(pid=%d)" % (path, path, path))
    name = os.fspath(path)
    if isinstance(path, str) and name == os.path.basename(name) and not os.path.splitext(name)[1]:
        raise _heapwhy.UsageError(
            "snapshot(%.80r) would write a file of that name; if you mean it, say so by an extension or a "
            "directory: %.80r. Another process is meant by its number: heapwhy.snapshot(pid=1234)" % (
                name, (name or "before") + ".hwsnap"))
    return path


def snapshot(path: Optional[Path] = None, *, pid: int = 0, own: bool = False, values: bool = True,
             copy: bool = True) -> Snapshot:
    """A snapshot of this process, or of process pid.

    path    also write it to this file, for the program's questions and for heapwhy.open(); a name with an
            extension or a directory: "before.hwsnap"
    pid     of another process; 0: this one
    own     with heapwhy's own modules, records and results, which are left out otherwise; of this process only
    values  False: without the contents of strings, numbers and bytes
    copy    False: no copy of the process is made; it stands still while its memory is copied: longer, and
            for a moment with twice the memory. Done anyway where the system refuses a copy

    Errors: UnsupportedError, for a version of Python that is not known; NotFoundError,
    PermissionDenied for a pid; UsageError for a path that is a word alone. A signal handler that raises, as
    for Ctrl-C, ends it.

    >>> with heapwhy.snapshot() as s:
    ...     print(s.types())
    """
    file = None if path is None else _file_of(path)
    made = Snapshot._capture(arguments.process(pid), own, values, copy)
    if file is not None:
        made.save(file)
    return made


def open(path: Path) -> Snapshot:
    """Loads a snapshot file: of heapwhy.snapshot(path), or of `heapwhy snapshot PID -o FILE`.

    Errors: SystemFailure, NotFoundError, CorruptError, UnsupportedError for a file of a later version.
    """
    return Snapshot._load(path)


def diagnose(snapshots: Optional[Iterable[Snapshot]] = None) -> Answer:
    """Snapshot.diagnose() of several snapshots of one process; without any, of a snapshot of now.

    Errors: ValueError, when there is none in it; TypeError, when something else is.
    """
    if issubclass(type(snapshots), Snapshot):
        return snapshots.diagnose()
    try:
        moments = (snapshot(),) if snapshots is None else tuple(snapshots)
    except TypeError:
        raise TypeError("diagnose() takes a list of snapshots, not %s" % arguments.kind_of(snapshots)) from None
    for moment in moments:
        if not issubclass(type(moment), Snapshot):
            raise TypeError("diagnose() takes a list of snapshots; there is %s in it" % arguments.with_article(
                type_name(type(moment))))
    if not moments:
        raise _heapwhy.UsageError("there is no snapshot to diagnose")
    return moments[-1].diagnose(*moments[:-1])


# ---- the same, of a snapshot of now ----

def _of_now(function: _Function) -> _Function:
    """Tells of the function what is told of the method of its name."""
    function.__doc__ = "Snapshot.%s() of a snapshot of now.\n\n    %s" % (
        function.__name__, getattr(Snapshot, function.__name__).__doc__.replace("\n    ", "\n"))
    return function


@_of_now
def types() -> Answer:
    with snapshot() as now:
        return now.types()


@_of_now
def objects(what: Any) -> Objects:
    with snapshot() as now:
        return now.objects(what)


@_of_now
def holders(what: Any, chains: int = 0, objects: int = 1) -> Chains:
    with snapshot() as now:
        return now.holders(what, chains, objects)


@_of_now
def retained(what: Any = None, objects: int = 1) -> Answer:
    with snapshot() as now:
        return now.retained(what, objects)


@_of_now
def tree(what: Any = None, depth: int = 4, branches: int = 0) -> Answer:
    with snapshot() as now:
        return now.tree(what, depth, branches)


@_of_now
def paths(what: Any) -> Answer:
    with snapshot() as now:
        return now.paths(what)


@_of_now
def owners(what: Any) -> Answer:
    with snapshot() as now:
        return now.owners(what)


@_of_now
def cycles() -> Answer:
    with snapshot() as now:
        return now.cycles()


@_of_now
def memory(*others: Snapshot) -> Answer:
    with snapshot() as now:
        return now.memory(*others)


@_of_now
def audit(*others: Snapshot) -> Answer:
    with snapshot() as now:
        return now.audit(*others)


@_of_now
def sites(*others: Snapshot, by: str = "line") -> Answer:
    with snapshot() as now:
        return now.sites(*others, by=by)


@_of_now
def resources(*others: Snapshot) -> Answer:
    with snapshot() as now:
        return now.resources(*others)
