# A thousand instances in a global list.
import objgraph


class MyLeakyClass:
    pass


def create_leak():
    global leaked_objects
    leaked_objects = []
    for _ in range(1000):
        leaked_objects.append(MyLeakyClass())


if __name__ == "__main__":
    create_leak()
    print("Total MyLeakyClass instances:", objgraph.count("MyLeakyClass"))
    objgraph.show_backrefs(objgraph.by_type("MyLeakyClass")[-1], filename="leak_graph.png")
