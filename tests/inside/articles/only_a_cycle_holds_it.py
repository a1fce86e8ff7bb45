# With the collector off: a hundred objects that only cycles hold, so no chain from a module is found.
import gc

import objgraph


class OBJ(object):
    pass


def show_cycle_reference():
    a, b = OBJ(), OBJ()
    a.attr_b = b
    b.attr_a = a


if __name__ == "__main__":
    gc.disable()
    for _ in range(50):
        show_cycle_reference()
    print([row for row in objgraph.most_common_types(None) if row[0] == "OBJ"])
    found = objgraph.find_backref_chain(objgraph.by_type("OBJ")[0], objgraph.is_proper_module)
    print(len(found), type(found[0]).__name__)
