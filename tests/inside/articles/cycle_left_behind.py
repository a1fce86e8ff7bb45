# The same when nobody has it any more.
import gc

import objgraph


class OBJ(object):
    pass


def direct_cycle_reference():
    a = OBJ()
    a.attr = a


if __name__ == "__main__":
    gc.disable()
    direct_cycle_reference()
    objgraph.show_backrefs(objgraph.by_type("OBJ")[0], max_depth=5, filename="direct.dot")
