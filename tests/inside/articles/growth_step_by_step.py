# show_growth() tells of each list that came, and of none that went.
import gc

import objgraph

if __name__ == "__main__":
    gc.collect()
    with open("before.txt", "w") as file:
        objgraph.show_growth(file=file)
        objgraph.show_growth(file=file)
    a = []
    print("=====================================")
    objgraph.show_growth()
    a.append([1, 2, 3])
    print("=====================================")
    objgraph.show_growth()
    b = ["a", "b", "c"]
    del b
    print("====================================")
    objgraph.show_growth()
