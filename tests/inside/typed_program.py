# SPDX-License-Identifier: Apache-2.0
"""A program that uses the package, for a type checker: it is never run."""
from typing import List

import heapwhy


class Session:
    pass


@heapwhy.profile
def work(count: int) -> List[Session]:
    return [Session() for _ in range(count)]


def main() -> None:
    sessions = work(10)
    with heapwhy.snapshot() as s:
        for row in s.types():
            print(row.type, row.objects)
        print(s.holders(sessions[0])[0].path, s.facts.objects, s.closed)
        s.save("a.hwsnap")
    with heapwhy.watching(interval=1.0) as w:
        w.point("half")
    print(w.diff(), w.diagnose().verdict)
    size: int = heapwhy.deepsizeof(sessions, limit=3) + heapwhy.sizeof(sessions)
    print(size, heapwhy.chain(sessions[0]).spelled)
    heap = heapwhy.heap() & Session
    print(heap.by_class()[0].shortest_paths(), heap.count, heap.dominated_size)
    with heapwhy.cycles_forbidden("warn"):
        pass
    print(heapwhy.garbage().by_type(), heapwhy.collector_state().enabled, heapwhy.growth().to_dicts())
    leak = heapwhy.find_leak(lambda: work(3), objects=1)
    if leak is not None:
        print(leak.types)
    heapwhy.no_leaks(lambda: work(3), repeats=5)
    armed = heapwhy.dump_near_limit("/tmp/x.hwsnap", 0.8)
    armed.stop()
    heapwhy.show_backrefs(sessions, filename="x.svg").save("y.png")
    for reference in heapwhy.referrers(sessions):
        print(reference.spelled)
    try:
        heapwhy.open("x.hwsnap")
    except heapwhy.Error as error:
        print(error)


main()
