# SPDX-License-Identifier: Apache-2.0
"""What was added between two looks: by type (SummaryTracker), or the objects themselves (ObjectTracker)."""
import inspect
from typing import Any, Dict, Hashable, Iterator, List, Optional, Tuple

from heapwhy import _heapwhy
from heapwhy.compat.pympler import muppy, summary


class SummaryTracker:
    """Compares summaries of all objects that are alive. The first is taken when it is made.

    What the tracker keeps does not count, unless ignore_self is False.
    """

    def __init__(self, ignore_self: bool = True):
        self.ignore_self = ignore_self
        self.summaries: Dict[Hashable, summary.Summary] = {}
        self.s0: summary.Summary = []
        self.s1: Optional[summary.Summary] = None
        self.s0 = self.create_summary()

    def create_summary(self) -> summary.Summary:
        """A summary of all objects."""
        hide = (self.summaries, self.s0, self.s1) if self.ignore_self else ()
        return muppy._everything(hide)

    def diff(self, summary1: Optional[summary.Summary] = None,
             summary2: Optional[summary.Summary] = None) -> summary.Summary:
        """The rows that changed since the last call; since summary1; or from summary1 to summary2."""
        if summary2 is not None:
            if summary1 is None:
                raise ValueError("You cannot provide summary2 without summary1.")
            return summary._sweep(summary.get_diff(summary1, summary2))
        self.s1 = self.create_summary()
        changed = summary.get_diff(self.s0 if summary1 is None else summary1, self.s1)
        self.s0 = self.s1
        return summary._sweep(changed)

    def print_diff(self, summary1: Optional[summary.Summary] = None,
                   summary2: Optional[summary.Summary] = None) -> None:
        """Prints diff()."""
        summary.print_(self.diff(summary1=summary1, summary2=summary2))

    def format_diff(self, summary1: Optional[summary.Summary] = None,
                    summary2: Optional[summary.Summary] = None) -> Iterator[str]:
        """The lines that print_diff() prints."""
        return summary.format_(self.diff(summary1=summary1, summary2=summary2))

    def store_summary(self, key: Hashable) -> None:
        """Takes a summary and keeps it in self.summaries[key]."""
        self.summaries[key] = self.create_summary()


class Tracker(SummaryTracker):
    """As articles about Pympler have it: track() at the beginning and at the end, then print_diff()."""

    def __init__(self, ignore_self: bool = True):
        super().__init__(ignore_self)
        self._tracked: List[summary.Summary] = []

    def track(self) -> None:
        """Takes a summary. The last two are what print_diff() compares."""
        latest = self.create_summary()  # before anything else refers to the one before, or that would count
        self._tracked = self._tracked[-1:] + [latest]

    def create_summary(self) -> summary.Summary:
        hide = (self.summaries, self.s0, self.s1, getattr(self, "_tracked", None))
        return muppy._everything(hide if self.ignore_self else ())

    def diff(self, summary1: Optional[summary.Summary] = None,
             summary2: Optional[summary.Summary] = None) -> summary.Summary:
        if summary1 is None and summary2 is None and len(self._tracked) == 2:
            summary1, summary2 = self._tracked
        return super().diff(summary1, summary2)


class ObjectTracker:
    """Compares lists of all objects. It keeps every object alive that it saw, until it is deleted."""

    def __init__(self) -> None:
        self.o0 = self._get_objects(ignore=(inspect.currentframe(),))

    def _get_objects(self, ignore: Tuple[Any, ...] = ()) -> List[Any]:
        """All objects but frames, the tracker's own, and those in ignore."""
        own = [getattr(self, name) for name in ("o0", "o1") if hasattr(self, name)]
        objects = _heapwhy.objects(frames=False)
        return _heapwhy.missing(objects, [*ignore, ignore, self, self.__dict__, own, *own])

    def get_diff(self, ignore: Tuple[Any, ...] = ()) -> Dict[str, List[Any]]:
        """{'+': objects that are new since the last call, '-': those that are gone from the lists}."""
        self.o1 = self._get_objects(ignore)
        changed = muppy.get_diff(self.o0, self.o1)
        self.o0 = self.o1
        del self.o1
        return changed

    def print_diff(self, ignore: Tuple[Any, ...] = ()) -> None:
        """Prints format_diff()."""
        for line in self.format_diff(ignore):
            print(line)

    def format_diff(self, ignore: Tuple[Any, ...] = ()) -> List[str]:
        """Lines: the summary of what was added, and of what was removed."""
        changed = self.get_diff(ignore)
        lines = ["Added objects:"]
        lines += summary.format_(summary.summarize(changed["+"]))
        lines.append("Removed objects:")
        lines += summary.format_(summary.summarize(changed["-"]))
        return lines
