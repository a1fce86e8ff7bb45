# SPDX-License-Identifier: Apache-2.0
# The public names. Their types are written where they are defined: as annotations, or in _heapwhy.pyi.
from heapwhy._heapwhy import (
    CorruptError as CorruptError, Error as Error, NotFoundError as NotFoundError,
    PermissionDenied as PermissionDenied, SystemFailure as SystemFailure, UnsupportedError as UnsupportedError,
    UsageError as UsageError, deepsizeof as deepsizeof, sizeof as sizeof, version as __version__)
from heapwhy.collector import (
    CyclesError as CyclesError, collector_state as collector_state, cycles_forbidden as cycles_forbidden,
    garbage as garbage, uncollectable as uncollectable)
from heapwhy.dump import dump_near_limit as dump_near_limit, dump_on_memory_error as dump_on_memory_error
from heapwhy.edges import (
    Chain as Chain, Reference as Reference, chain as chain, referents as referents, referrers as referrers)
from heapwhy.leakcheck import find_leak as find_leak, no_leaks as no_leaks
from heapwhy.lines import LineProfiler as LineProfiler, profile as profile
from heapwhy.magics import load_ipython_extension as load_ipython_extension
from heapwhy.moments import growth as growth, watching as watching
from heapwhy.pictures import (
    Picture as Picture, show_backrefs as show_backrefs, show_chain as show_chain, show_refs as show_refs)
from heapwhy.sets import HeapSet as HeapSet, heap as heap, heapset as heapset
from heapwhy.snapshots import (
    Snapshot as Snapshot, audit as audit, cycles as cycles, diagnose as diagnose, holders as holders, memory as memory,
    objects as objects, open as open, owners as owners, paths as paths, resources as resources, retained as retained,
    sites as sites, snapshot as snapshot, tree as tree, types as types)
from heapwhy.usage import memory_usage as memory_usage
