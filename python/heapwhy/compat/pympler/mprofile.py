# SPDX-License-Identifier: Apache-2.0
"""Bytes of all objects at points of a program: MProfiler."""
import inspect
import sys
from typing import Any, Dict, List, Optional, Sequence, Tuple

from heapwhy import _heapwhy
from heapwhy.compat.pympler import muppy

Codepoint = Tuple[Optional[str], Optional[str], Optional[int]]


class MProfiler:
    """Sums up all objects whenever the profile function of the interpreter is called.

    codepoints: [(file, function, line), ...], None for any; None: everywhere. events: those of
    sys.setprofile() to look at. memories: {codepoint: [calls, least bytes, most bytes, 0]}.
    """

    def __init__(self, codepoints: Optional[Sequence[Codepoint]] = None, events: Optional[Sequence[str]] = None):
        self.memories: Dict[Codepoint, List[int]] = {}
        self.codepoints = codepoints
        self.events = events

    def codepoint_included(self, codepoint: Codepoint) -> bool:
        """Whether a point is one of those to look at."""
        if self.codepoints is None:
            return True
        return any(all(want is None or want == have for want, have in zip(point, codepoint))
                   for point in self.codepoints)

    def profile(self, frame: Any, event: str, arg: Any) -> None:
        """The function for sys.setprofile()."""
        if self.events is not None and event not in self.events:
            return
        info = inspect.getframeinfo(frame)
        point = (info[0], info[2], info[1])
        if not self.codepoint_included(point):
            return
        muppy._collect()
        size = sum(row[2] for row in _heapwhy.summary(None, (), (self.memories,))[0])
        memory = self.memories.setdefault(point, [0, size, size, 0])
        memory[:3] = memory[0] + 1, min(memory[1], size), max(memory[2], size)

    def run(self, cmd: Any) -> "MProfiler":
        """Executes code under the profiler."""
        sys.setprofile(self.profile)
        try:
            exec(cmd)
        finally:
            sys.setprofile(None)
        return self
