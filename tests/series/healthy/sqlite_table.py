# SPDX-License-Identifier: Apache-2.0
"""A table in memory: rows are added, old ones deleted, now and then it is vacuumed."""
import sqlite3
import time

db = sqlite3.connect(":memory:")
db.execute("create table log (id integer primary key, text)")
turn = 0
while True:
    turn += 1
    db.executemany("insert into log (text) values (?)", (("line " * 60,) for _ in range(700)))
    db.execute("delete from log where id < (select max(id) from log) - 60000")
    db.commit()
    if turn % 200 == 0:
        db.execute("vacuum")
    time.sleep(0.1)
