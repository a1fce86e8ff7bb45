# SPDX-License-Identifier: Apache-2.0
"""Loads each of its parts when it is needed for the first time: three steps, minutes apart."""
import time

import json  # noqa: F401

time.sleep(25)
import numpy  # noqa: E402
tables = [numpy.ones(1_500_000)]
time.sleep(30)
import sqlalchemy.orm  # noqa: E402,F401
time.sleep(50)
import lxml.etree  # noqa: E402,F401
import aiohttp.web  # noqa: E402,F401
tables.append({i: str(i) for i in range(150_000)})
while True:
    time.sleep(1)
