# SPDX-License-Identifier: Apache-2.0
"""Imports a large part of the standard library and some large packages, then does little."""
import time

for name in ("asyncio, email.message, http.server, json, logging.config, multiprocessing, sqlite3, ssl, unittest, "
             "xmlrpc.client, zipfile, numpy, numpy.random, lxml.etree, sqlalchemy.orm, aiohttp.web, django, "
             "flask, tornado.web").split(", "):
    __import__(name)
    time.sleep(0.3)
while True:
    import json
    json.loads(json.dumps(list(range(1000))))
    time.sleep(0.05)
