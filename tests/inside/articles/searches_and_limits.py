# Searches forward, new objects by id, and limits.
import objgraph


class Unpicklable:
    pass


if __name__ == "__main__":
    document = {"foo": {"unrelated": "things"}, "bar": [{"nesting": "fun"}, {"trap": Unpicklable()}]}
    chain = objgraph.find_ref_chain(document, lambda x: isinstance(x, Unpicklable))
    print([type(link).__name__ for link in chain])
    objgraph.show_chain(chain, backrefs=False, filename="forward.dot")
    objgraph.get_new_ids(limit=0)
    objgraph.get_new_ids(limit=0)
    kept = [Unpicklable() for _ in range(7)]
    new = objgraph.get_new_ids(limit=0)["Unpicklable"]
    print(len(new), sorted(map(id, kept)) == sorted(new), len(objgraph.at_addrs(new)))
    objgraph.show_refs([list(range(7))], too_many=5, filename="too_many.dot")
    objgraph.show_refs([kept], max_depth=1, too_many=3, filename="counts.dot",
                       highlight=lambda x: isinstance(x, list), extra_info=lambda x: type(x).__module__,
                       extra_node_attrs=lambda x: {"URL": "x"}, shortnames=False)
