# SPDX-License-Identifier: Apache-2.0
"""audit_healthy.py WAY: a process that leaks nothing.

WAY: standard (much of the standard library, in use), busy (threads and tasks that work while they are
looked at), libraries (numpy, lxml, sqlalchemy, aiohttp where there are any), frozen.
"""
import asyncio
import collections
import gc
import importlib
import json
import re
import sys
import threading
import time

MODULES = """
    abc argparse array ast asyncio base64 bisect bz2 calendar cmath code codecs collections
    concurrent.futures configparser contextvars copy csv ctypes dataclasses datetime decimal difflib
    dis email.message enum fractions functools gzip hashlib heapq hmac html.parser http.client
    http.server inspect io ipaddress itertools json logging.handlers lzma mailbox math mmap
    multiprocessing numbers operator optparse os pathlib pickle pickletools platform plistlib pprint
    profile pstats pyexpat queue random re sched secrets select selectors shelve shlex shutil signal
    smtplib socket socketserver sqlite3 ssl statistics string struct subprocess tarfile tempfile
    textwrap threading timeit token tokenize trace traceback tracemalloc types typing unicodedata
    unittest.mock urllib.request uuid warnings wave weakref xml.dom.minidom xml.etree.ElementTree
    xml.sax xmlrpc.client zipfile zlib zoneinfo
""".split()
KEPT = []


def use_standard():
    for name in MODULES:
        KEPT.append(importlib.import_module(name))
    import datetime
    import decimal
    import functools
    import sqlite3
    import xml.etree.ElementTree as ElementTree
    KEPT.append(ElementTree.fromstring("<a><b x='1'>text</b><c/></a>"))
    connection = sqlite3.connect(":memory:")
    connection.execute("create table t (a, b)")
    connection.executemany("insert into t values (?, ?)", [(n, str(n)) for n in range(100)])
    KEPT.append(connection.execute("select * from t"))
    KEPT.append([decimal.Decimal(n) / 7 for n in range(10)])
    KEPT.append(datetime.datetime.now(datetime.timezone.utc))
    KEPT.append(functools.lru_cache(lambda number: [number]))
    for number in range(50):
        KEPT[-1](number)
    KEPT.append(collections.OrderedDict((str(n), n) for n in range(20)))
    KEPT.append(re.compile("(a+)(?P<name>b*)").match("aab"))


def work():
    recent = collections.deque(maxlen=50)
    while True:
        for number in range(100):
            recent.append((str(number), number * 1.5, json.loads(json.dumps({"k": [number]}))))
        re.sub("a+", lambda match: match.group(0) * 2, "baaac" * 5)
        time.sleep(0.001)


async def use_numpy():
    import numpy
    KEPT.append(numpy.arange(1000.0).reshape(10, 100)[2:4])
    KEPT.append(numpy.array([object(), "x", 3.5, None], dtype=object))
    KEPT.append(numpy.zeros(3, dtype=[("a", "i4"), ("b", "f8")]))
    KEPT.append(numpy.random.default_rng(1).random(3))


async def use_lxml():
    import lxml.etree
    document = lxml.etree.fromstring("<a><b x='1'>text</b><c/></a>")
    KEPT.append((document, document.xpath("//b/@x"), list(document.iter())))


async def use_sqlalchemy():
    import sqlalchemy
    import sqlalchemy.orm

    class Row(sqlalchemy.orm.declarative_base()):
        __tablename__ = "rows"
        id = sqlalchemy.Column(sqlalchemy.Integer, primary_key=True)
        name = sqlalchemy.Column(sqlalchemy.String)

    engine = sqlalchemy.create_engine("sqlite://")
    Row.metadata.create_all(engine)
    session = sqlalchemy.orm.Session(engine)
    session.add_all([Row(name="n%d" % number) for number in range(30)])
    session.commit()
    KEPT.append((engine, session, session.query(Row).filter(Row.name.like("n%")).all()))


async def use_aiohttp():
    from aiohttp import ClientSession, web

    async def answer(request):
        return web.json_response({"path": request.path})

    application = web.Application()
    application.router.add_get("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    client = ClientSession()
    for _ in range(10):
        async with client.get("http://127.0.0.1:%d/" % port) as response:
            await response.json()
    KEPT.append((runner, client))


async def run_tasks(way):
    async def task(number):
        while True:
            await asyncio.sleep(0.001 if way == "busy" else 1000)

    KEPT.extend(asyncio.create_task(task(number)) for number in range(20))
    if way == "libraries":
        for use in (use_numpy, use_lxml, use_sqlalchemy, use_aiohttp):
            try:
                await use()
            except ImportError:
                print(use.__name__, "is not there")
    gc.collect()
    if way == "frozen":
        gc.freeze()
    print("READY", flush=True)
    await asyncio.sleep(1000)


def main():
    way = sys.argv[1]
    if way != "libraries":
        use_standard()
    for _ in range(3):
        target = work if way == "busy" else lambda: time.sleep(1000)
        threading.Thread(target=target, daemon=True).start()
    asyncio.run(run_tasks(way))


if __name__ == "__main__":
    main()
