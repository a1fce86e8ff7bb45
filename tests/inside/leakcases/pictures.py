# SPDX-License-Identifier: Apache-2.0
"""Pictures, and objgraph's functions."""
import io

import heapwhy
from heapwhy import drawing, pictures
from heapwhy.compat import objgraph
from things import fails, holders, printed, swallow, thing

CHAIN = {"steps": [{"edge": "", "type": "module", "addr": "0x1", "what": "app"},
                   {"edge": ".a", "type": "list", "addr": "0x2", "what": ""}]}
picture = heapwhy.show_refs(holders, max_depth=1)

CASES = {
    "show_refs": lambda: heapwhy.show_refs(holders, max_depth=1, refcounts=True, extra_info=id, highlight=callable),
    "show_chain": lambda: repr(heapwhy.show_chain([holders, thing])),
    "objgraph.show_refs": lambda: objgraph.show_refs(holders, max_depth=1, output=io.StringIO()),
    "objgraph.show_chain": lambda: objgraph.show_chain([holders, thing], backrefs=False, output=io.StringIO()),
    "find_ref_chain": lambda: objgraph.find_ref_chain(holders, lambda obj: obj is thing),
    "most_common_types": lambda: printed(objgraph.show_most_common_types, objects=holders),
    "svg of chains and bars": lambda: (drawing.chains_svg([CHAIN]), drawing.bars_svg([("dict", 3), ("list", -1)])),
    # a walk over the heap each
    "show_backrefs": lambda: heapwhy.show_backrefs(thing, max_depth=1),
    "objgraph.show_backrefs": lambda: objgraph.show_backrefs(thing, max_depth=1, output=io.StringIO()),
    "find_backref_chain": lambda: objgraph.find_backref_chain(thing, objgraph.is_proper_module),
    "find_backref_chain that fails": lambda: swallow(objgraph.find_backref_chain, thing, fails),
    "typestats": objgraph.typestats,
    "growth": lambda: printed(objgraph.show_growth, peak_stats={}, collect=False),
    "get_new_ids": lambda: objgraph.get_new_ids(limit=1, collect=False, file=io.StringIO()),
    "get_leaking_objects": objgraph.get_leaking_objects,
    "by_type": lambda: (objgraph.by_type("Thing"), objgraph.count("Thing"), objgraph.at(id(thing)),
                        objgraph.at_addrs({id(thing)}), objgraph.most_common_types()),
}
# graphviz's program draws
SLOW_CASES = {
    "render": lambda: (swallow(picture.render, "nonsense"), picture._repr_svg_(), heapwhy.Chain([holders, thing])._repr_svg_()),
    "save": lambda: picture.save("leakcheck.dot"),
}
