# SPDX-License-Identifier: Apache-2.0
"""Garbage in cycles, as a picture."""
import gc
import sys
from typing import IO, Optional

from heapwhy.compat.pympler.refgraph import ReferenceGraph
from heapwhy.compat.pympler.util.stringutils import pp, trunc

__all__ = ["GarbageGraph", "end_debug_garbage", "start_debug_garbage"]


class GarbageGraph(ReferenceGraph):
    """The objects that the collector finds to be garbage, and the references between them.

    A collection runs: it is what finds them. collectable: all of them, which are kept in gc.garbage
    (gc.DEBUG_SAVEALL stays set until end_debug_garbage()); False: only those that it can't free. Switch the
    collector off before, with start_debug_garbage(), or it has freed them already.

    >>> start_debug_garbage()
    >>> l = []
    >>> l.append(l)
    >>> del l
    >>> GarbageGraph().render("garbage.eps")
    True
    """

    def __init__(self, reduce: bool = False, collectable: bool = True):
        gc.set_debug(gc.DEBUG_SAVEALL if collectable else 0)
        gc.collect()
        super().__init__(gc.garbage, reduce)

    def print_stats(self, stream: Optional[IO[str]] = None) -> None:
        """Prints the objects, the largest first."""
        out = stream or sys.stdout
        self.metadata.sort(key=lambda meta: -meta.size)
        out.write("%-10s %8s %-12s %-46s\n" % ("id", "size", "type", "representation"))
        for meta in self.metadata:
            out.write("0x%08x %8d %-12s %-46s\n" % (meta.id, meta.size, trunc(meta.type, 12), trunc(meta.str, 46)))
        out.write("Garbage: %8d collected objects (%s in cycles): %12s\n" % (
            self.count, self.num_in_cycles, pp(self.total_size)))


def start_debug_garbage() -> None:
    """Collects what there is, and switches the collector off: from now on garbage stays."""
    gc.collect()
    gc.disable()


def end_debug_garbage() -> None:
    """Switches the collector on again, and its debugging off. gc.garbage keeps what is in it."""
    gc.set_debug(0)
    gc.enable()
