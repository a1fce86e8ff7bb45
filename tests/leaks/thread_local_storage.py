# SPDX-License-Identifier: Apache-2.0
"""A worker appends every statement it ran to a threading.local that lives as long as it does."""
import queue
import threading

import backdrop


class Statement:
    def __init__(self, sql):
        self.sql = sql
        self.seconds = 0.25


state = threading.local()


def execute(sql):
    if not hasattr(state, "executed"):
        state.executed = []
    state.executed.append(Statement(sql))


def work(inbox):
    while True:
        execute(inbox.get())


def main():
    backdrop.noise()
    inbox = queue.Queue(maxsize=50)
    threading.Thread(target=work, args=(inbox,), name="sql-worker", daemon=True).start()
    for number in backdrop.pace(120):
        inbox.put("select * from t where id = %d" % number)


if __name__ == "__main__":
    main()
