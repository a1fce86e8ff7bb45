# DEBUG_SAVEALL keeps what was collected in gc.garbage, where it can be looked at; __del__ stands out.
import gc

import objgraph


class OBJ(object):
    def __del__(self):
        pass


def show_cycle_reference():
    a, b = OBJ(), OBJ()
    a.attr_b = b
    b.attr_a = a


if __name__ == "__main__":
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    show_cycle_reference()
    gc.collect()
    kept = [id(o) for o in gc.garbage if isinstance(o, OBJ)]
    print(len(kept))
    objgraph.show_backrefs(objgraph.at(kept[0]), 2, filename="obj.dot")
    objgraph.show_backrefs(objgraph.at(kept[0]), extra_ignore=(id(gc.garbage),), max_depth=2,
                           filename="without_garbage.dot")
    gc.set_debug(0)
