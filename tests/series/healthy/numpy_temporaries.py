# SPDX-License-Identifier: Apache-2.0
"""Arrays of many sizes, each for a moment."""
import random
import time

import numpy

random.seed(5)
base = numpy.random.rand(1_000_000)
while True:
    count = random.randrange(100_000, 4_000_000)
    values = numpy.resize(base, count)
    values = numpy.sort(values * 2 + values)
    time.sleep(random.uniform(0.05, 0.6))
    del values
