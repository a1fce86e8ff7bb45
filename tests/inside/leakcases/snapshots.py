# SPDX-License-Identifier: Apache-2.0
"""Snapshots and their questions. One is asked again and again; to take one the process forks, which is slow."""
import subprocess
import sys
import tracemalloc

import heapwhy
from heapwhy import _heapwhy, records
from things import Thing, holders, swallow, thing

FILE = "leakcheck.hwsnap"
other = subprocess.Popen([sys.executable, "-S", "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
thing.text = "a text"
first = heapwhy.snapshot(FILE, values=False)
grown = [Thing() for _ in range(50)]
second = heapwhy.snapshot(values=False)
tracemalloc.start()
traced_things = [Thing() for _ in range(50)]
traced = heapwhy.snapshot(values=False)
tracemalloc.stop()
rows = second.types()
objects = second.objects(Thing)


def asked(answer):
    """An answer in C's two forms."""
    return answer.text(limit=0, width=60), answer.to_dict()


def forms(answer):
    """All that Python makes of one."""
    return (repr(answer), answer.to_dicts(), answer._repr_html_(), dir(answer), len(answer), list(answer), answer[:1],
            answer == answer)


def loaded():
    with heapwhy.open(FILE) as snapshot:
        return repr(snapshot), snapshot.facts.python


def watched():
    with heapwhy.watching() as watching:
        watching.point()
    repr(watching), watching.growth()._repr_svg_()
    answers = watching.diff(), watching.growth(), watching.diagnose(), watching.memory()
    watching.close()
    return answers


def taken():
    with heapwhy.snapshot(values=False) as snapshot:
        return repr(snapshot.facts)


CASES = {
    "facts": lambda: (repr(second.facts), repr(second), second.facts.to_dict(), dir(second.facts)),
    "types": lambda: asked(second.types()),
    "forms of an answer": lambda: forms(second.types()),
    "objects": lambda: told_objects(second.objects(Thing)),
    "holders": lambda: asked(second.holders(thing)),
    "referrers": lambda: asked(second.referrers(thing)),
    "referents": lambda: asked(second.referents(thing)),
    "paths": lambda: asked(second.paths(Thing)),
    "owners": lambda: asked(second.owners(Thing)),
    "cycles": lambda: asked(second.cycles()),
    "collector": lambda: asked(second.collector()),
    "audit": lambda: asked(second.audit()),
    "sites": lambda: (asked(traced.sites()), asked(traced.sites(by="traceback"))),
    "sites, compared": lambda: asked(traced.sites(traced)),
    "sites, not traced": lambda: swallow(second.sites),
    "retained by one": lambda: asked(second.retained(thing)),
    "what is not there": lambda: (swallow(second.holders, object()), swallow(second.holders, "nonsense.more"),
                                  swallow(second.holders, 5), swallow(second.holders, None), swallow(second.holders, rows[0])),
    "wrong arguments": lambda: (swallow(_heapwhy.ask, "nonsense", (second,)), swallow(_heapwhy.ask, "types", ()),
                                swallow(_heapwhy.ask, "types", (5,)), swallow(_heapwhy.nodes, second, "nonsense.more"),
                                swallow(_heapwhy.nodes, 5, ""), swallow(objects._nodes.column, "nonsense"),
                                swallow(second.diff, 5), swallow(heapwhy.diagnose, []), swallow(heapwhy.open, "/nonsense")),
    "rows": lambda: (rows.filter(lambda row: row.objects > 10), rows.filter(type="dict"), rows.sorted("bytes"),
                     swallow(hash, rows), repr(rows[0]), dir(rows[0]), rows[0] == rows[1], rows[0].to_dict(),
                     swallow(getattr, rows[0], "nonsense")),
    "live": lambda: (objects.live(), objects[0].object, swallow(lambda: rows[0].object)),
    "Moment": lambda: records.Moment(1, 1).is_ours(),
    "growth": lambda: repr(heapwhy.growth()),
    "load": loaded,
    "save": lambda: second.save(FILE),
}
SLOW_CASES = {
    "retained": lambda: asked(second.retained()),
    "tree": lambda: (asked(second.tree()), asked(second.tree(thing))),
    "memory": lambda: (asked(second.memory()), asked(second.memory(first))),
    "audit, growth": lambda: asked(second.audit(first)),
    "resources": lambda: (asked(second.resources()), asked(second.resources(first))),
    "diff": lambda: (lambda answer: (asked(answer), answer._repr_svg_()))(second.diff(first)),
    "diagnose": lambda: asked(second.diagnose()),
    "diagnose, growth": lambda: asked(heapwhy.diagnose([first, second])),
    "holders drawn": lambda: (lambda answer: (answer._repr_svg_(), str(answer[0]), answer[0].steps))(second.holders(thing)),
    "words": lambda: (second.holders(id(thing)), second.holders("things.Thing", objects=2)),
    "snapshot": taken,
    "snapshot without a copy": lambda: heapwhy.snapshot(values=False, copy=False).close(),
    "snapshot of another": lambda: heapwhy.snapshot(pid=other.pid, values=False).close(),
}
FORK_CASES = {
    "sites of now": lambda: swallow(heapwhy.sites),
    "growth, holders": lambda: heapwhy.growth(holders=True),
    "watching": watched,
    "types of now": lambda: heapwhy.types(),
    "objects of now": lambda: heapwhy.objects(Thing),
    "holders of now": lambda: heapwhy.holders(thing),
    "retained of now": lambda: heapwhy.retained(),
    "tree of now": lambda: heapwhy.tree(),
    "paths of now": lambda: heapwhy.paths(Thing),
    "owners of now": lambda: heapwhy.owners(Thing),
    "cycles of now": lambda: heapwhy.cycles(),
    "memory of now": lambda: heapwhy.memory(),
    "audit of now": lambda: heapwhy.audit(),
    "resources of now": lambda: heapwhy.resources(),
    "filter": lambda: (second.types().filter(type="dict"), second.objects(Thing).filter(object=thing)),
    "diagnose of now": lambda: heapwhy.diagnose(),
}


def told_objects(found):
    return (repr(found), found._repr_html_(), found.to_dicts(), len(found), found[0], found[-1], found[:2], list(found),
            found.addresses, found.sizes, found.native_sizes, repr(found.filter(lambda row: row.size)))
