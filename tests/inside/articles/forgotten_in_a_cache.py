# An early return skips the removal from a global list: growth, the graph, the chain.
import objgraph

_cache = []


class OBJ(object):
    pass


def func_to_leak():
    o = OBJ()
    _cache.append(o)
    if True:
        return
    _cache.remove(o)


if __name__ == "__main__":
    with open("before.txt", "w") as file:
        objgraph.show_growth(file=file)
        objgraph.show_growth(file=file)
    func_to_leak()
    print("after call func_to_leak")
    objgraph.show_growth()
    print(objgraph.count("OBJ"), objgraph.count("__main__.OBJ"), objgraph.typestats()["OBJ"])
    objgraph.show_backrefs(objgraph.by_type("OBJ")[0], max_depth=3, filename="obj.dot")
    objgraph.show_chain(objgraph.find_backref_chain(objgraph.by_type("OBJ")[0], objgraph.is_proper_module),
                        filename="obj_chain.dot")
